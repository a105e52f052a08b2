"""What a file's metadata says of its training: settings, images, tags, and what it was made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lorarecipe.imports import Stated, parsed_json, shown
from lorarecipe.inspection.thumbnail import THUMBNAIL, Thumbnail, thumbnail_of
from lorarecipe.weights import Weights

#: tags that are named
_TAGS = 20


@dataclass(frozen=True)
class Images:
    """A folder of images, by its name."""

    folder: str
    repeats: int | None
    images: int | None
    regularisation: bool = False


@dataclass(frozen=True)
class Bucket:
    """Images that were trained at one size, each counted as often as an epoch has it."""

    width: int
    height: int
    images: int


@dataclass(frozen=True)
class Checkpoint:
    """What the training began with; a text is empty where the metadata does not have it."""

    name: str
    sha256: str
    autov1: str
    """A1111's old hash."""
    vae: str


@dataclass(frozen=True)
class Network:
    """What made the LoRA, as the trainer was asked for it."""

    module: str
    dim: str
    alpha: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Training:
    """What the metadata says; a text is empty where it does not say it."""

    name: str
    """``ss_output_name``, which A1111 shows as the LoRA's name."""
    title: str
    trainer: str
    """The program, with its version where the metadata has one."""
    checkpoint: Checkpoint
    network: Network
    steps: str
    epochs: str
    """The epoch that the file is of, and how many were asked for."""
    settings: Mapping[str, object]
    """By the keys that they have in a recipe."""
    other_settings: Mapping[str, object]
    """What recipes do not have, by the names of the metadata."""
    folders: tuple[Images, ...]
    buckets: tuple[Bucket, ...]
    tags: tuple[tuple[str, int], ...]
    """The most frequent tags of the captions, with how many images have them."""
    all_tags: int
    lorarecipe: Mapping[str, str]
    modelspec: Mapping[str, str]
    thumbnail: Thumbnail | None


def training_of(weights: Weights, stated: Stated) -> Training:
    """Read what the metadata says of the training; all is empty in a file without metadata."""
    data = weights.metadata
    tags = _tags(data)
    return Training(
        name=_text(data, "ss_output_name"),
        title=_text(data, "modelspec.title"),
        trainer=_trainer(data),
        checkpoint=Checkpoint(
            name=_text(data, "ss_sd_model_name"),
            sha256=stated.checkpoint_sha256 or _text(data, "lorarecipe.checkpoint"),
            autov1=_text(data, "ss_sd_model_hash"),
            vae=_text(data, "ss_vae_name"),
        ),
        network=Network(
            _text(data, "ss_network_module"),
            _text(data, "ss_network_dim"),
            _text(data, "ss_network_alpha"),
            {name: str(shown(name, value)) for name, value in _table(data.get("ss_network_args")).items()},
        ),
        steps=_text(data, "ss_steps"),
        epochs=" of ".join(filter(None, (_text(data, "ss_epoch"), _text(data, "ss_num_epochs")))),
        settings=stated.settings,
        other_settings=stated.others,
        folders=(*_folders(data, "ss_dataset_dirs"), *_folders(data, "ss_reg_dataset_dirs", regularisation=True)),
        buckets=_buckets(data),
        tags=tuple(tags.most_common(_TAGS)),
        all_tags=len(tags),
        lorarecipe=_named(data, "lorarecipe."),
        modelspec=_named(data, "modelspec."),
        thumbnail=thumbnail_of(data),
    )


def _text(data: Mapping[str, str], name: str) -> str:
    return "" if data.get(name) in {None, "None"} else data[name]


def _named(data: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): str(shown(name, value))
        for name, value in sorted(data.items())
        if name.startswith(prefix) and name != THUMBNAIL
    }


def _trainer(data: Mapping[str, str]) -> str:
    if commit := _text(data, "ss_sd_scripts_commit_hash"):
        return f"sd-scripts {commit}"
    trainer = _text(data, "lorarecipe.trainer") or _text(data, "modelspec.implementation")
    return trainer or ("sd-scripts, or a program that writes its metadata" if _has_training(data) else "")


def _has_training(data: Mapping[str, str]) -> bool:
    return any(name.startswith("ss_") for name in data)


def _table(value: object) -> Mapping[str, object]:
    read = parsed_json(value) if isinstance(value, str) else value
    return {str(key): inner for key, inner in read.items()} if isinstance(read, Mapping) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _folders(data: Mapping[str, str], key: str, *, regularisation: bool = False) -> Iterator[Images]:
    for name, about in _table(data.get(key)).items():
        counts = _table(about)
        yield Images(name, _count(counts.get("n_repeats")), _count(counts.get("img_count")), regularisation)


def _buckets(data: Mapping[str, str]) -> tuple[Bucket, ...]:
    """Add up the buckets of all data sets; with one data set, the metadata has them in a place of their own."""
    datasets = parsed_json(data.get("ss_datasets"))
    of_sets = [_table(one).get("bucket_info") for one in datasets] if isinstance(datasets, list) else []
    counts: Counter[tuple[int, int]] = Counter()
    for info in (data.get("ss_bucket_info"), *of_sets):
        for bucket in map(_table, _table(_table(info).get("buckets")).values()):
            match bucket.get("resolution"), bucket.get("count"):
                case [int(width), int(height)], int(count):
                    counts[width, height] += count
    return tuple(Bucket(*size, images) for size, images in sorted(counts.items()))


def _tags(data: Mapping[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for tags in map(_table, _table(data.get("ss_tag_frequency")).values()):
        counts.update({tag.strip(): found for tag, count in tags.items() if (found := _count(count))})
    return counts
