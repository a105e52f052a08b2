"""What is found out of the characters of one phase: traits, how images are named, what each of them shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lorarecipe.dataset import Group, OnImage, Picture, read_group
from lorarecipe.drafts.characters import Character
from lorarecipe.drafts.outlines import Shot, propose_shots
from lorarecipe.drafts.patterns import guess_pattern
from lorarecipe.drafts.shots import Shots, agreed, hinted, missing_captions, named_shots
from lorarecipe.drafts.traits import hair_tag, traits_in
from lorarecipe.mend import Change
from lorarecipe.recipe import Captions
from lorarecipe.rules.vocabulary import HAIR_COLOURS, TRAIT_KINDS, corrected


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
    def unread(self) -> list[str]:
        """Why images cannot be read, or what name says nothing, a line each."""
        unknown = f"the name does not fit {self.captions.patterns[0]}" if self.captions else "no zoom is known"
        lines = []
        for picture, shot in self._pictures():
            if picture.problem:
                lines.append(f"{picture.path}: cannot be read: {picture.problem.message}")
            elif not picture.caption and not shot.zoom:
                lines.append(f"{picture.path}: {unknown}")
        return lines

    @property
    def unknown_views(self) -> int:
        """Images that get a caption though it is not known whether they are back views."""
        return sum(
            shot.behind is None and bool(shot.zoom) and not picture.caption and not picture.problem
            for picture, shot in self._pictures()
        )

    @property
    def changes(self) -> list[Change]:
        """Captions to write."""
        pairs = zip(self.groups, self.shots, strict=True)
        return [change for group, shots in pairs for change in missing_captions(group, shots, self.tags)]

    def _pictures(self) -> Iterator[tuple[Picture, Shot]]:
        for group, shots in zip(self.groups, self.shots, strict=True):
            yield from ((picture, shots[picture.path]) for picture in group.pictures)

    def lacking(self) -> Iterator[tuple[Character, tuple[str, ...]]]:
        """Give the characters whose traits do not name hair colour, hairstyle and body, with what is known."""
        for character, group in zip(self.characters, self.groups, strict=True):
            if group.phase == "base" and len(group.traits) < len(TRAIT_KINDS):
                yield character, group.traits

    def with_traits(self, traits: Mapping[str, Sequence[str]]) -> Survey:
        """Give the same with further traits, by the characters' names."""
        groups = [
            replace(group, traits=_joined(traits[character.name], group.traits)) if character.name in traits else group
            for character, group in zip(self.characters, self.groups, strict=True)
        ]
        return replace(self, groups=groups)


def survey(
    base: Sequence[Character], targets: Sequence[Character], hints: Hints, on_image: OnImage
) -> tuple[Survey, Survey]:
    """Look at the images of the base's characters and of the targets, and give what is found of each phase."""
    phases: list[tuple[Sequence[Character], list[Group], Captions | None]] = []
    for of_base, characters in ((True, base), (False, targets)):
        groups = [_group(character, hints, on_image, of_base=of_base) for character in characters]
        images = [picture.path for group in groups for picture in group.pictures if not picture.problem]
        phases.append((characters, groups, guess_pattern(images)))
    proposed = agreed([propose_shots(group) for _, groups, captions in phases if not captions for group in groups])
    surveys = []
    for characters, groups, captions in phases:
        shots = [named_shots(group, captions) if captions else proposed.pop(0) for group in groups]
        shots = [hinted(one, hints.zooms, hints.backs) for one in shots]
        surveys.append(Survey(characters, groups, captions, shots, hints.tags if characters is targets else ()))
    return surveys[0], surveys[1]


def _group(character: Character, hints: Hints, on_image: OnImage, *, of_base: bool) -> Group:
    group = read_group("base" if of_base else "target", character.folder, character.repeats, on_image=on_image)
    return replace(group, traits=_traits(character, group, hints)) if of_base else group


def _traits(character: Character, group: Group, hints: Hints) -> tuple[str, ...]:
    """Join what the author says, what the folder's name says, and the hair's colour as measured."""
    found = traits_in(character.folder.name)
    if HAIR_COLOURS.isdisjoint(found) and (hair := hair_tag(group)):
        found = [hair, *found]
    return _joined(hints.traits.get(character.name, ()), found)


def _joined(said: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """Join traits, hair colour first; a colour that was said goes before one that was found."""
    right = [corrected(tag) or tag for tag in said]
    has_colour = not HAIR_COLOURS.isdisjoint(right)
    traits = [*(tag for tag in found if not (has_colour and tag in HAIR_COLOURS)), *right]
    return tuple(sorted(dict.fromkeys(traits), key=lambda tag: tag not in HAIR_COLOURS))
