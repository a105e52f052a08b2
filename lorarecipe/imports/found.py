"""What every kind of source is read into: settings in the words of sd-scripts, folders of images, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lorarecipe.imports.values import is_off, is_unset


@dataclass(frozen=True)
class Setting:
    """One setting of a source."""

    key: str
    """Its name in the source."""
    value: object
    """Its value, as the source has it."""
    option: str
    """The option of sd-scripts that means the same."""
    means: object
    """The value for this option."""


@dataclass(frozen=True)
class ImageSet:
    """One folder of images."""

    key: str
    """What names it in the source."""
    folder: str
    """Its path, as the source has it: relative to the source's folder."""
    repeats: int = 1
    repeats_key: str = ""
    """What says the repeats in the source, where a key does."""
    is_parent: bool = False
    """Whether the images stand in folders ``N_name`` within it, where it is a folder of another machine."""


@dataclass(frozen=True)
class Left:
    """What is not carried over."""

    key: str
    value: object
    reason: str


@dataclass
class Found:
    """What a source was found to hold; filled by the module of its kind."""

    name: str
    """What the result may be called."""
    name_key: str = ""
    """What names it in the source."""
    family: str | None = None
    """Family of the checkpoint, where the source tells it."""
    sha256: str | None = None
    """Digest of the checkpoint."""
    trains: bool = True
    """Whether the source holds the settings of a training, and not images alone."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    """Options that its trainer takes where the source says nothing."""
    trainer: str = ""
    """Name of that trainer."""
    settings: dict[str, Setting] = field(default_factory=dict)
    """Settings by option."""
    sets: list[ImageSet] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)
    """Keys that change nothing: off, empty, or what lorarecipe does anyway."""

    def rename(self, key: str, name: object) -> None:
        """Take the name that the source has for its result, where it has one."""
        if isinstance(name, str) and name:
            self.name, self.name_key = name, key
        elif name is not None:
            self.unset.append(key)

    def carry(self, key: str, value: object, option: str, means: object = None, *, off_counts: bool = False) -> None:
        """Take a setting over, where it is not off; ``means`` is its value for the option, where it is another."""
        means = value if means is None else means
        if is_unset(means) or (is_off(means) and not off_counts):
            self.unset += [key] if key else []
            return
        before = self.settings.get(option)
        if before and before.key != key and before.means != means:
            self.left.append(Left(before.key, before.value, f"{key} goes before it"))
        elif before and before.key != key:
            self.unset.append(before.key)
        self.settings[option] = Setting(key, value, option, means)

    def leave(self, key: str, value: object, reason: str) -> None:
        """Name what is not carried over, with the reason; what is off is none."""
        if is_unset(value) or is_off(value):
            self.unset.append(key)
        else:
            self.left.append(Left(key, value, reason))
