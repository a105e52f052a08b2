"""Tables of a recipe file."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from lorarecipe.engines import ENGINES
from lorarecipe.families import FAMILIES
from lorarecipe.recipe.captions import Captions
from lorarecipe.recipe.naming import LIKE_A_NAME, a_file_name
from lorarecipe.recipe.presets import PRESETS
from lorarecipe.recipe.refine import Refine
from lorarecipe.recipe.samples import Control, Deliver, Distill, Gate, Samples
from lorarecipe.recipe.table import Count, LargePath, PathPattern, RecipePath, Table, Trait, example, fault, shape
from lorarecipe.recipe.target import Listed, Target
from lorarecipe.recipe.training import Training

_DIGEST = "[0-9a-fA-F]{64}"
_DEVICE = "auto|cpu|cuda(:[0-9]+)?"


def _a_digest(text: str) -> str:
    if not re.fullmatch(_DIGEST, text):
        raise fault(f"found {text!r}, expected the 64 hexadecimal digits of a SHA-256")
    return text.lower()


def _a_device(text: str) -> str:
    if not re.fullmatch(_DEVICE, text):
        raise fault(f"found {text!r}, expected auto, cpu, cuda or cuda:N")
    return text


def _one_of(names: Collection[str]) -> AfterValidator:
    """Expect a name of a table, with the message of a ``Literal``: the table is made of files of its own."""

    def known(name: str) -> str:
        if name not in names:
            *first, last = map(repr, names)
            raise fault(f"found {name!r}, expected {', '.join(first)} or {last}")
        return name

    return AfterValidator(known)


Method = Literal["two-phase", "plain", "distill"]


class Checkpoint(Table):
    """The checkpoint that the finished LoRA will be used on."""

    family: Annotated[str, _one_of(FAMILIES), shape(enum=[*FAMILIES]), example("sdxl")]
    """`sd15`, `sd2` or `sdxl` (Pony, Illustrious and NoobAI are `sdxl`)."""
    path: Annotated[LargePath, example("models/illustrious.safetensors")]
    """The checkpoint: one `.safetensors` file, or for the embedded trainer a Diffusers folder.

    It may be on a hub: `hf://OWNER/REPO/FILE.safetensors@REVISION`.
    """
    sha256: Annotated[
        Annotated[str, AfterValidator(_a_digest), shape(pattern=f"^{_DIGEST}$")] | None,
        example("6681e8e4b134c81f16533acedb0d406d7e5e366e1624b4105178c64d00b05d51"),
    ] = None
    """Its digest: refuses another file of the same name, and lets `plan` work without the file."""
    vae: Annotated[LargePath | None, example("models/sdxl_vae.safetensors")] = None
    """A VAE to use in place of the checkpoint's own."""
    clip_skip: Annotated[Annotated[int, Field(ge=1, le=12)] | None, example(2)] = None
    """Layer of the text encoder, from the end; 2 for checkpoints of the NAI line. Not for `sdxl`."""
    v_prediction: Annotated[bool, example(True)] = False
    """Whether the checkpoint predicts velocity (SD2 768, NoobAI v-pred)."""

    @property
    def components(self) -> dict[str, Path]:
        """Files of the checkpoint by their names in the family's list, without those that are left out."""
        named = {name: getattr(self, name) for name in FAMILIES[self.family].COMPONENTS}
        return {name: path for name, path in named.items() if path is not None}

    @model_validator(mode="after")
    def _clip_skip_is_read(self) -> Self:
        if self.clip_skip is not None and not FAMILIES[self.family].READS_CLIP_SKIP:
            raise fault(f"found clip_skip = {self.clip_skip}, expected none: it does nothing on {self.family}")
        return self


class Character(Table):
    """One character of the base."""

    images: Annotated[RecipePath, example("renders/base/red")]
    """Folder of its renders, a caption beside each."""
    traits: Annotated[
        tuple[Trait, ...], Field(strict=False, min_length=1), example(["red hair", "short hair", "flat chest"])
    ]
    """Its hair colour, hairstyle and body as tags; they stand in each of its captions."""
    repeats: Annotated[Count, example(10)] = 1
    """Times each image is seen in an epoch."""


Silent = Literal["white background", "nude", "completely nude", "1girl", "arms at sides"]


class Base(Table):
    """The stepping stone: written here, in a base recipe (`from`), or trained already (`weights`)."""

    from_: Annotated[RecipePath | None, example("bases/koikatsu.toml")] = Field(default=None, alias="from")
    """A base recipe, shared by any number of characters."""
    weights: Annotated[RecipePath | None, example("bases/koikatsu.safetensors")] = None
    """A finished base LoRA, one `.safetensors` file."""
    characters: Annotated[
        tuple[Character, ...],
        Field(strict=False),
        example([{"images": "renders/base/red", "traits": ["red hair", "short hair"]}]),
    ] = ()
    """The varied characters that the base is trained on."""
    also: Annotated[tuple[Silent, ...], Field(strict=False), example(["white background"])] = ()
    """Tags that base captions may hold besides, on which sources are silent: `white background`, `nude`, `1girl` ..."""
    captions: Annotated[Captions | None, example({"pattern": "{zoom}_{view}_{azimuth}"})] = None
    """How `lorarecipe caption` writes captions."""
    training: Annotated[Training | None, example({"rank": 32, "alpha": 16})] = None
    """How the base is trained."""
    gate: Annotated[Gate, example({"mode": "stop"})] = Gate()
    """What the base has to show before a target is trained on it."""

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if (info.context or {}).get("method", "two-phase") != "two-phase":
            if self.model_fields_set:
                raise fault('found a base, expected none: only method = "two-phase" has one')
            return self
        written_here = bool(self.characters)
        forms = [name for name, given in (("from", self.from_), ("weights", self.weights)) if given]
        folders = [character.images for character in self.characters]
        if twins := {folder for folder in folders if folders.count(folder) > 1}:
            raise fault(f"found two characters with the images of {min(twins)}, expected a folder for each")
        if written_here + len(forms) != 1:
            found = " and ".join([*forms, *(["characters"] if written_here else [])]) or "none of them"
            raise fault(f"found {found}, expected one of: from, weights, [[base.characters]]")
        if written_here and self.training is None:
            raise fault("found no [base.training], expected it beside [[base.characters]] (or a preset)")
        if self.from_ and "gate" in self.model_fields_set:
            raise fault("found [base.gate] beside from, expected it in the base's recipe")
        if forms and self.training:
            raise fault(f"found [base.training] beside {forms[0]}, expected the base's training in the base's recipe")
        return self


class Merge(Table):
    """How the base gets into the checkpoint before the target is trained."""

    mode: Annotated[Literal["checkpoint", "load"], example("load")] = "checkpoint"
    """`checkpoint`: merged once into a file; `load`: in memory at each start (`--base_weights`; bench: `loaded`)."""
    strength: Annotated[float, Field(gt=0, le=2), example(0.9)] = 1.0
    """Weight of the base in the merge (bench: `strength-0.9`, `strength-0.8`)."""


class Trainer(Table):
    """What trains, and on which device. Nothing here but `processes` changes the result."""

    engine: Annotated[str, _one_of(ENGINES), shape(enum=[*ENGINES]), example("embedded")] = "sd-scripts"
    """`sd-scripts`, or `embedded`: a small trainer on diffusers for SD1 checkpoints that are Diffusers folders."""
    device: Annotated[str, AfterValidator(_a_device), shape(pattern=f"^({_DEVICE})$"), example("cuda:1")] = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`, counted among the GPUs in `CUDA_VISIBLE_DEVICES`."""
    processes: Annotated[int, Field(ge=1, le=64), example(2)] = 1
    """GPUs that share one training; the effective batch grows with it."""

    @model_validator(mode="after")
    def _one_device_is_for_one_process(self) -> Self:
        on_cpu = self.device == "cpu" and not ENGINES[self.engine].SHARES_ON_CPU
        if self.processes > 1 and (on_cpu or self.device.startswith("cuda:")):
            raise fault(f'found processes = {self.processes} with device = "{self.device}", expected "auto" or "cuda"')
        return self


class RuleSetting(Table):
    """What a recipe makes of a rule."""

    severity: Annotated[Literal["ignore", "warning", "error"], example("warning")]
    """What a finding is to be."""
    reason: Annotated[str, Field(min_length=1), example("the sword is part of the character")]
    """Why; printed beside what is ignored."""
    paths: Annotated[tuple[PathPattern, ...], Field(strict=False), example(["renders/akane/*"])] = ("*",)
    """Patterns of the files that it is for, relative to the recipe; `*` fits everything."""


class RecipeFile(Table):
    """A recipe as one file holds it."""

    format: Annotated[int, Field(ge=1, le=1), example(1)]
    """Version of this format."""
    name: Annotated[str, AfterValidator(a_file_name), shape(pattern=LIKE_A_NAME), example("akane")]
    """Name of the result: `out/<name>/<name>.safetensors`; with `[[characters]]`, of the base that is written here."""
    method: Annotated[Method, example("plain")] = "two-phase"
    """`two-phase`; or what came before it, to compare with: `plain`, one training and no base, or `distill`."""
    preset: Annotated[str | None, shape(enum=[*PRESETS]), example("illustrious")] = None
    """Training settings to start from: `emanon-2023` or `copier`; or `sdxl`, `illustrious`, `noobai-eps`,
    `noobai-vpred` or `pony`, which were published for ordinary training and not tried with two phases."""
    checkpoint: Annotated[Checkpoint | None, example({"family": "sdxl", "path": "models/illustrious.safetensors"})] = (
        None
    )
    """The checkpoint; may be left to the base recipe."""
    base: Annotated[Base, example({"from": "bases/koikatsu.toml"})]
    """The base."""
    target: Annotated[Target | None, example({"images": "renders/akane", "repeats": 10})] = None
    """The character; a base recipe has none."""
    characters: Annotated[
        tuple[Listed, ...], Field(strict=False), example([{"name": "akane", "images": "renders/akane"}])
    ] = ()
    """Several characters in one recipe, each with a result of its own."""
    merge: Annotated[Merge, example({"strength": 0.9})] = Merge()
    """How the base gets into the checkpoint."""
    trainer: Annotated[Trainer, example({"device": "cuda:1"})] = Trainer()
    """What trains."""
    samples: Annotated[Samples | None, example({"prompts": ["1girl, forest", "1girl, sitting"]})] = None
    """Pictures to draw at the end."""
    refine: Annotated[Refine | None, example({"keep": 24})] = None
    """A third phase; without the table there is none."""
    distill: Annotated[Distill | None, example({"prompts": ["1girl, forest"], "weight": 0.5})] = None
    """For `method = "distill"`: what to pick from, and what is picked."""
    deliver: Annotated[Deliver, example({"weight": "advised"})] = Deliver()
    """What is delivered."""
    control: Annotated[Control, example({"enabled": True})] = Control()
    """The target without the base, to compare with."""
    rules: Annotated[
        dict[str, RuleSetting],
        example({"TGT002": {"severity": "warning", "reason": "grey renders", "paths": ["renders/akane/*"]}}),
    ] = {}
    """Rules by code: `TGT002 = { severity = "warning", reason = "...", paths = ["renders/akane/*"] }`."""
