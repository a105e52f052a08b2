"""What is found out of the characters of one phase: traits, how images are named, what each of them shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lorarecipe.dataset import Group, OnImage, read_group
from lorarecipe.drafts.characters import Character
from lorarecipe.drafts.patterns import guess_pattern
from lorarecipe.drafts.shots import Shots, agreed, hinted, missing_captions, shots_of
from lorarecipe.drafts.traits import hair_tag, traits_in
from lorarecipe.mend import Change
from lorarecipe.recipe import Captions
from lorarecipe.rules.vocabulary import HAIR_COLOURS, TRAIT_KINDS


@dataclass(frozen=True)
class Hints:
    """What the author says of the images beforehand."""

    traits: Mapping[str, Sequence[str]]
    """Traits of characters, by the characters' names."""
    zooms: Mapping[str, str]
    """Zoom tags, by patterns of file names."""
    backs: Sequence[str] = ()
    """Patterns of the names of back views."""
    tags: tuple[str, ...] = ()
    """Tags of every image of a target."""


@dataclass(frozen=True)
class Survey:
    """The characters of one phase; ``groups`` and ``shots`` are in their order."""

    characters: Sequence[Character]
    groups: Sequence[Group]
    captions: Captions | None
    """How the images are named; None where names do not tell the zoom."""
    shots: Sequence[Shots]
    tags: tuple[str, ...]

    @property
    def is_guessed(self) -> bool:
        """Whether captions are to be written by what outlines propose."""
        return self.captions is None and bool(self.changes)

    @property
    def changes(self) -> list[Change]:
        """Captions to write."""
        pairs = zip(self.groups, self.shots, strict=True)
        return [change for group, shots in pairs for change in missing_captions(group, shots, self.tags)]

    def lacking(self) -> Iterator[tuple[Character, tuple[str, ...]]]:
        """Give the characters whose traits do not name hair colour, hairstyle and body, with what is known."""
        for character, group in zip(self.characters, self.groups, strict=True):
            if group.phase == "base" and len(group.traits) < len(TRAIT_KINDS):
                yield character, group.traits

    def with_traits(self, traits: Mapping[str, Sequence[str]]) -> Survey:
        """Give the same with further traits, by the characters' names."""
        groups = [
            replace(group, traits=tuple(dict.fromkeys((*group.traits, *traits.get(character.name, ())))))
            for character, group in zip(self.characters, self.groups, strict=True)
        ]
        return replace(self, groups=groups)

    @property
    def is_of_one_list(self) -> bool:
        """Whether several characters show the same, image by image: they were shot from one list of cameras."""
        first, *others = ([*shots.values()] for shots in self.shots)
        return bool(others) and all(other == first for other in others)


def survey(
    base: Sequence[Character], targets: Sequence[Character], hints: Hints, on_image: OnImage
) -> tuple[Survey, Survey]:
    """Look at the images of the base's characters and of the targets, and give what is found of each phase."""
    phases: list[tuple[Sequence[Character], list[Group], Captions | None]] = []
    for of_base, characters in ((True, base), (False, targets)):
        groups = [_group(character, hints, on_image, of_base=of_base) for character in characters]
        images = [picture.path for group in groups for picture in group.pictures]
        phases.append((characters, groups, guess_pattern(images)))
    proposed = agreed([shots_of(group, None) for _, groups, captions in phases if not captions for group in groups])
    surveys = []
    for characters, groups, captions in phases:
        shots = [shots_of(group, captions) if captions else proposed.pop(0) for group in groups]
        shots = [hinted(one, hints.zooms, hints.backs) for one in shots]
        surveys.append(Survey(characters, groups, captions, shots, hints.tags if characters is targets else ()))
    return surveys[0], surveys[1]


def _group(character: Character, hints: Hints, on_image: OnImage, *, of_base: bool) -> Group:
    group = read_group("base" if of_base else "target", character.folder, character.repeats, on_image=on_image)
    return replace(group, traits=_traits(character, group, hints)) if of_base else group


def _traits(character: Character, group: Group, hints: Hints) -> tuple[str, ...]:
    """Join what the author says, what the folder's name says, and the hair's colour as measured."""
    said = [*hints.traits.get(character.name, ()), *traits_in(character.folder.name)]
    if HAIR_COLOURS.isdisjoint(said) and (hair := hair_tag(group)):
        said.insert(0, hair)
    return tuple(dict.fromkeys(said))
