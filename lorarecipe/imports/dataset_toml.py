"""kohya's sd-scripts: the data sets of ``--dataset_config``, whose subsets inherit from data set and ``general``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from lorarecipe.imports.found import Found, ImageSet
from lorarecipe.imports.sizes import sides_of
from lorarecipe.imports.source import Source
from lorarecipe.imports.values import flat, number

TITLE = "data sets of sd-scripts ([[datasets]] with subsets, for --dataset_config)"

#: what a data set has where nothing is said
_DEFAULTS = {"enable_bucket": False, "caption_extension": ".caption"}
#: keys whose names are not those of the options, with these
_OPTIONS = {"batch_size": "train_batch_size"}
_REASONS = {
    "is_reg": "the method has no regularisation images",
    "class_tokens": "the method has no trigger word or class word: captions are in the files beside the images",
    "metadata_file": "lorarecipe reads the caption of a.png from a.txt, and none from a file for all of them",
}
_DIFFERS = "it differs between the folders or data sets, and a recipe has one: that of the largest resolution"

Table = Mapping[str, object]
#: settings of a subset with all that it inherits: name -> key in the file, and value
Row = Mapping[str, tuple[str, object]]


def recognises(source: Source) -> bool:
    """Look for data sets with subsets."""
    data = source.data
    return isinstance(data, Mapping) and any("subsets" in dataset for _, dataset in _tables(data, "datasets"))


def read(source: Source) -> Found:
    """Take the images and how they are read; there is no training in such a file."""
    found = Found(name=source.path.stem, trains=False, defaults=_DEFAULTS, trainer="sd-scripts")
    read_datasets(found, source)
    return found


def read_datasets(found: Found, source: Source) -> None:
    """Add the data sets of a source to what was found."""
    assert isinstance(source.data, Mapping)
    rows = [*_rows(source.data)]
    rows.sort(key=lambda row: (bool(_value(row, "is_reg")), -prod(sides_of(_value(row, "resolution")))))
    seen: set[str] = set()
    main: Row = {}
    for row in rows:
        is_reg = bool(_value(row, "is_reg"))
        main = main or (row if not is_reg else {})
        for name, (key, value) in row.items():
            if key in seen or name == "num_repeats":  # it goes with its folder
                continue
            seen.add(key)
            if name in _REASONS or is_reg:
                found.leave(key, value, _REASONS.get(name, _REASONS["is_reg"]))
            elif name == "image_dir" and isinstance(value, str):
                _images(found, key, value, *row.get("num_repeats", ("", 1)))
            elif row is main:
                found.carry(key, value, _OPTIONS.get(name, name), off_counts=name == "enable_bucket")
            elif _value(main, name) == value:
                found.unset.append(key)
            else:
                found.leave(key, value, _DIFFERS)
    seen |= {one.repeats_key for one in found.sets}
    # what every subset has a value of its own for
    found.unset += [key for key, _ in flat(source.data) if key not in seen and key.startswith(("general", "datasets"))]


def _images(found: Found, key: str, folder: str, repeats_key: str, repeats: object) -> None:
    """Note a folder of images; the same folder at several resolutions is one."""
    times = number(repeats)
    if any(one.folder == folder for one in found.sets):
        found.unset.append(key)
    elif folder:
        # of a key that several folders have in common, each has the value, and the first has the key
        named = any(one.repeats_key == repeats_key for one in found.sets)
        found.sets.append(ImageSet(key, folder, times if isinstance(times, int) else 1, "" if named else repeats_key))


def _rows(data: Table) -> Iterator[Row]:
    general = data.get("general")
    common = (
        {name: (f"general.{name}", value) for name, value in general.items()} if isinstance(general, Mapping) else {}
    )
    for place, dataset in _tables(data, "datasets"):
        own = {name: (f"{place}.{name}", value) for name, value in dataset.items() if name != "subsets"}
        for inner, subset in _tables(dataset, "subsets", f"{place}."):
            yield {**common, **own, **{name: (f"{inner}.{name}", value) for name, value in subset.items()}}


def _value(row: Row, name: str) -> object:
    return row[name][1] if name in row else None


def _tables(table: Table, name: str, prefix: str = "") -> Iterator[tuple[str, Table]]:
    tables = table.get(name)
    for index, one in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(one, Mapping):
            yield f"{prefix}{name}[{index}]", one
