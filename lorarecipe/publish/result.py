"""What is published of a run: one of its results, and what its records tell of it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from lorarecipe.errors import CheckFailed
from lorarecipe.families import FAMILIES, Family
from lorarecipe.files import file_digest
from lorarecipe.hub import Address, read_address
from lorarecipe.publish.pictures import Drawn, Picture, pictures_of
from lorarecipe.publish.training import Trained, captions_of, trained
from lorarecipe.records import Leak, Passport
from lorarecipe.run import LEAK, PASSPORT, Baked, Run, baked_in, record_beside, reduced, results_of
from lorarecipe.weights import Weights

#: the hub's names of licenses (its documentation, "Licenses")
LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


@dataclass(frozen=True)
class Use:
    """The file that is recommended, and its weight."""

    file: Path
    weight: float
    reason: str
    """Why, as the leak test says; empty where it did not choose this file and weight."""
    drawn: Drawn
    """What drew the samples of this use."""


@dataclass(frozen=True)
class Result:
    """A finished LoRA of a run, and what is known of it; its files are those that the run delivered."""

    run: Run
    folder: Path
    recipe_text: str
    loras: tuple[Path, ...]
    """The finished LoRA first."""
    use: Use
    baked: Baked | None
    """The file whose weight 1 is another weight of one of these, where there is one."""

    @property
    def name(self) -> str:
        """Name of the result."""
        return self.folder.name

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """The recipe as its file has it."""
        return tomllib.loads(self.recipe_text)

    @property
    def method(self) -> str:
        """The recipe's method."""
        return str(self.recipe.get("method", "two-phase"))

    @property
    def family(self) -> Family:
        """Family of the checkpoint."""
        return FAMILIES[str(self.setting("checkpoint", "family"))]

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint's file or folder."""
        return PurePath(str(self.setting("checkpoint", "path"))).name

    @property
    def checkpoint_is_file(self) -> bool:
        """Whether the checkpoint is one file, or else a Diffusers folder."""
        return self.checkpoint.endswith(".safetensors")

    @property
    def checkpoint_address(self) -> Address | None:
        """Where the checkpoint is on a hub, if the recipe named it there."""
        address = self.run.record.hub.get(str(self.setting("checkpoint", "path")))
        return read_address(address) if address else None

    @cached_property
    def leak(self) -> Leak | None:
        """The leak test; None without samples."""
        return record_beside(self.run, self.folder, LEAK, Leak)

    @cached_property
    def passport(self) -> Passport | None:
        """The passport of the base; None without a base, or where it has no gate."""
        return record_beside(self.run, self.folder, PASSPORT, Passport)

    @property
    def failed(self) -> list[str]:
        """Name what the base, alone or merged, failed to show."""
        gates = self.passport.gate if self.passport else ()
        return list(dict.fromkeys(check.name for gate in gates for check in gate.checks if check.verdict == "fail"))

    @cached_property
    def trained(self) -> Trained:
        """How it was trained."""
        return trained(self.run.record, self._key)

    @property
    def captions(self) -> frozenset[str]:
        """Captions of all images that it, and its base, were trained on."""
        return captions_of(self.run.record, self._key)

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """Samples of what is recommended: one of each prompt."""
        unrelated = self.setting("samples", "unrelated")
        negative = str(self.setting("samples", "negative") or "")
        shots = self.leak.pictures if self.leak else ()
        return pictures_of(
            self.folder, shots, self.use.drawn, negative, unrelated if isinstance(unrelated, list) else []
        )

    @property
    def private_metadata(self) -> list[str]:
        """Keys of the metadata that ``[deliver] metadata = "public"`` leaves out: captions' tags, names of folders."""
        metadata = Weights(self.loras[0]).metadata
        return sorted(metadata.keys() - reduced(metadata, "public").keys())

    @property
    def license(self) -> str | None:
        """License that the recipe names, as the hub writes such names."""
        named = str(self.setting("deliver", "license") or "").lower()
        return named if LICENSE.fullmatch(named) else None

    def setting(self, table: str, name: str) -> object:
        """Give a setting of the recipe as the run used it; None where it was not set."""
        for setting in self.run.record.settings.get(self.name, ()):
            if (setting.table, setting.name) == (table, name):
                try:
                    return json.loads(setting.value)
                except ValueError:  # not set, or a table
                    return None
        return None

    @property
    def _key(self) -> str:
        return Weights(self.loras[0]).metadata["lorarecipe.key"]


def result_of(run: Run, name: str | None = None) -> Result:
    """Give what is published of a run.

    Parameters
    ----------
    run
        The run.
    name
        Name of its result; may be left out where it has one.

    Raises
    ------
    LookupError
        When there is no such result, or several and none is named.
    CheckFailed
        When its LoRA is not one to publish: of a rehearsal, a base, not finished, or written over since.
    """
    if run.record.arguments.rehearse:
        raise CheckFailed(f"{run.name} is a rehearsal, and its LoRA is not for use; publish the run of the real recipe")
    folders = {folder.name: folder for folder in results_of(run)}
    known = ", ".join(sorted(folders))
    if name is None and len(folders) != 1:
        raise LookupError(f"{run.name} has {len(folders)} results, expected the name of one: {known}")
    if name is not None and name not in folders:
        raise LookupError(f"found {name!r}, expected a result of {run.name}: {known}")
    folder = folders[name or min(folders)]
    recipe_text = _recipe_text(run, folder.name)
    if "target" not in tomllib.loads(recipe_text):
        raise CheckFailed(
            f"{folder.name} is a base, and draws nothing by itself; publish a character that stands on it"
        )
    digests = {Path(file.path).name: file.sha256 for file in run.record.files.get(folder.name, ())}
    finished = folder / f"{folder.name}.safetensors"
    _refuse_another(run, finished, digests)
    use, baked = _use(run, folder, digests)
    files = dict.fromkeys([finished, use.file])
    if baked:
        _refuse_another(run, baked.source, digests)
        files |= dict.fromkeys([baked.source, baked.path])
    else:
        _refuse_another(run, use.file, digests)
    return Result(run, folder, recipe_text, tuple(files), use, baked)


def _recipe_text(run: Run, name: str) -> str:
    for recipe in run.record.recipes:
        if tomllib.loads(recipe.text).get("name") == name:
            return recipe.text
    raise CheckFailed(
        f"{run.name} has no recipe of {name} in its record; make the run again: lorarecipe rerun {run.name}"
    )


def _use(run: Run, folder: Path, digests: Mapping[str, str]) -> tuple[Use, Baked | None]:
    """Recommend what was baked, else what the leak test advises, else the finished LoRA at weight 1."""
    leak = record_beside(run, folder, LEAK, Leak)
    advice, name = leak.advice if leak else None, folder.name
    source, weight, reason = folder / f"{name}.safetensors", 1.0, ""
    if advice:
        target = "-target" if advice.arm == "target" else ""
        epoch = f"-{advice.epoch:06d}" if advice.epoch else ""
        source, weight, reason = folder / f"{name}{target}{epoch}.safetensors", advice.weight, advice.reason
    baked = baked_in(folder, {digest: folder / file for file, digest in digests.items()})
    if baked:
        reason = reason if (baked.source, baked.weight) == (source, weight) else ""
        source, weight = baked.source, baked.weight
    parts = re.fullmatch(rf"{re.escape(name)}(-target)?(?:-(\d+))?", source.stem)
    assert parts  # it has no other names
    refined = leak is not None and any(row.arm == "refined" for row in leak.rows) and not parts[1]
    drawn = Drawn("refined" if refined else "target", int(parts[2]) if parts[2] else None, weight)
    return Use(baked.path if baked else source, 1.0 if baked else weight, reason, drawn), baked


def _refuse_another(run: Run, file: Path, digests: Mapping[str, str]) -> None:
    """Refuse a file that is not the one that the run has delivered."""
    again = f"lorarecipe rerun {run.name}"
    if file.name not in digests:
        raise CheckFailed(f"{file}: {run.name} has not delivered this LoRA; finish the run first: {again}")
    if not file.is_file():
        raise CheckFailed(f"{file}: this LoRA is not there; make it again: {again}")
    if file_digest(file) != digests[file.name]:
        problem = f"{file} is no longer the file that {run.name} has delivered"
        raise CheckFailed(f"{problem}; publish the later run, or make the file again: {again}")
