"""OneTrainer's concepts: each is a folder of images, with how they are seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lorarecipe.imports.found import Found, ImageSet
from lorarecipe.imports.values import flat, number

#: keys that name, count or describe, or are read where another is on
_WITHOUT_EFFECT = re.compile(
    r"name|seed|type|enabled|balancing_strategy|concept_stats.*|(.*\.)?__version|validation_concept|text\.(tag_delimiter|"
    r"keep_tags_count|prompt_path|extension|caps_randomize_(mode|probability)|tag_dropout_.*)|image\.(resolution_override|"
    r".*_max_(strength|angle))|(path|repeats|balancing)"
)
_OPTIONS = {"image.enable_random_flip": "flip_aug", "text.enable_tag_shuffling": "shuffle_caption"}
_CAPTIONS = "lorarecipe reads the caption of a.png from a.txt, and none from elsewhere"
_AS_THEY_ARE = "lorarecipe reads the images and captions of a folder as they are"


def tables(value: object) -> Iterator[Mapping[str, object]]:
    """Give the tables of a list."""
    yield from (one for one in value if isinstance(one, Mapping)) if isinstance(value, list) else ()


def add_concepts(found: Found, concepts: object) -> None:
    """Add the folders of concepts to what was found."""
    for index, concept in enumerate(tables(concepts)):
        where = f"concepts[{index}]"
        path, kind = concept.get("path"), concept.get("type", "STANDARD")
        is_left = concept.get("enabled") is False or kind != "STANDARD" or concept.get("validation_concept") is True
        found.unset += [f"{where}.{name}" for name, _ in flat(concept) if is_left and name != "path"]
        if concept.get("enabled") is False:
            found.leave(f"{where}.path", path, "it is not enabled")
        elif is_left:
            reason = f"the method has no regularisation images and none for validation ({kind})"
            found.leave(f"{where}.path", path, reason)
        elif isinstance(path, str) and path:
            found.sets.append(ImageSet(f"{where}.path", path, *_repeats(found, where, concept)))
            _add(found, where, concept)


def _repeats(found: Found, where: str, concept: Mapping[str, object]) -> tuple[int, str]:
    key = "balancing" if "balancing" in concept else "repeats"
    factor = number(concept.get(key, 1)) or 1
    samples = concept.get("balancing_strategy") == "SAMPLES"
    repeats = 1 if samples else max(1, round(factor))
    if samples or repeats != factor:
        reason = f"a recipe repeats images a whole number of times: written as {repeats}"
        found.leave(f"{where}.{key}", concept.get(key), reason)
    return repeats, f"{where}.{key}" if key in concept else ""


def _add(found: Found, where: str, concept: Mapping[str, object]) -> None:
    for name, value in flat(concept):
        key = f"{where}.{name}"
        if name in _OPTIONS:
            found.carry(key, value is True, _OPTIONS[name])
        elif name == "text.prompt_source" and value in ("concept", "filename"):
            found.leave(key, value, _CAPTIONS)
        elif _WITHOUT_EFFECT.fullmatch(name) or (value in ("sample", 1) and value is not True):
            found.unset.append(key)
        else:
            found.leave(key, value, _AS_THEY_ARE)
