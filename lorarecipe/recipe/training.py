"""Settings of one training, in the field's words; each field's annotation names what it becomes for the trainer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lorarecipe.recipe.arguments import Argument, DatasetKey, options_of
from lorarecipe.recipe.options import extra_problems
from lorarecipe.recipe.table import Count, Table, example, fault

Side = Annotated[int, Field(ge=64, le=4096)]
_Sides = Annotated[list[Side], Field(min_length=2, max_length=2)]


def _width_and_height(value: object) -> object:
    """``512`` means a square."""
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def _off(value: object) -> object:
    """TOML has no null, so ``false`` turns buckets off."""
    return None if value is False else value


class Buckets(Table):
    """Sizes that images of other shapes are resized to (aspect ratio bucketing); pixels."""

    min: Annotated[Side, DatasetKey("min_bucket_reso"), example(512)] = 256
    """Shortest side of a bucket, in pixels."""
    max: Annotated[Side, DatasetKey("max_bucket_reso"), example(2048)] = 1024
    """Longest side of a bucket, in pixels."""
    step: Annotated[int, Field(ge=64, le=4096, multiple_of=64), DatasetKey("bucket_reso_steps"), example(64)] = 64
    """Number of pixels that each side of a bucket is a multiple of."""
    no_upscale: Annotated[bool, DatasetKey("bucket_no_upscale"), example(True)] = False
    """Whether an image that is smaller than its bucket keeps its size."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise fault(f"found min = {self.min} above max = {self.max}, expected it below")
        if self.min % self.step or self.max % self.step:
            raise fault(f"found min = {self.min}, max = {self.max}, expected multiples of step = {self.step}")
        return self


class Training(Table):
    """One training. With neither `epochs` nor `steps`, sd-scripts would quietly train 1600 steps: one is asked for."""

    rank: Annotated[int, Field(ge=1, le=1024), Argument("network_dim"), example(32)]
    """Rank of the LoRA (`--network_dim`; bench: `rank-half`)."""
    alpha: Annotated[float, Field(gt=0, le=4096), Argument("network_alpha"), example(16)]
    """Scale of the LoRA is alpha / rank (`--network_alpha`)."""
    unet_lr: Annotated[float, Field(gt=0, lt=10), Argument("learning_rate"), Argument("unet_lr"), example(1e-4)]
    """Learning rate of the U-Net."""
    text_encoder_lr: Annotated[
        Annotated[float, Field(gt=0, lt=10)] | None,
        Argument("text_encoder_lr"),
        Argument("network_train_unet_only", lambda rate: rate is None),
        example(2e-5),
    ] = None
    """Learning rate of the text encoder; left out, only the U-Net is trained (bench: `text-encoder`)."""
    epochs: Annotated[Count | None, Argument("max_train_epochs"), example(10)] = None
    """Times the whole set is gone through; this or `steps`."""
    steps: Annotated[Count | None, Argument("max_train_steps"), example(1000)] = None
    """Optimizer steps; this or `epochs`."""
    batch_size: Annotated[Count, DatasetKey("batch_size", option="train_batch_size"), example(4)] = 1
    """Images of a step, on each device."""
    resolution: Annotated[
        tuple[Side, Side],
        BeforeValidator(_width_and_height, json_schema_input_type=Side | _Sides),
        Field(strict=False),
        # the dataset TOML counts; sd-scripts fills the file's modelspec.resolution from the argument only
        DatasetKey("resolution"),
        Argument("resolution", lambda sides: f"{sides[0]},{sides[1]}"),
        example(1024, [832, 1216]),
    ]
    """Pixels: one number, or `[width, height]`; with buckets, the area that each bucket comes close to."""
    buckets: Annotated[
        Buckets | None,
        BeforeValidator(_off, json_schema_input_type=Literal[False] | Buckets),
        example({"min": 512, "max": 2048, "step": 64}, False),
    ] = Buckets()
    """Aspect ratio buckets: `{ min, max, step, no_upscale }`, or `false`."""
    optimizer: Annotated[
        Literal[
            "AdamW", "AdamW8bit", "PagedAdamW8bit", "Lion", "Lion8bit", "Prodigy", "AdaFactor", "AdamWScheduleFree"
        ],
        Argument("optimizer_type"),
        example("AdamW"),
    ] = "AdamW"
    """Optimizer; its further arguments go into `extra = { optimizer_args = ["k=v"] }`."""
    scheduler: Annotated[
        Literal["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial"],
        Argument("lr_scheduler"),
        example("cosine"),
    ] = "cosine"
    """Course of the learning rate."""
    warmup_steps: Annotated[
        int, Field(ge=0, le=1_000_000), Argument("lr_warmup_steps", lambda steps: steps or None), example(100)
    ] = 0
    """Steps in which the learning rate rises."""
    precision: Annotated[Literal["no", "fp16", "bf16"], Argument("mixed_precision"), example("bf16")] = "no"
    """Mixed precision; `no` computes in float32."""
    seed: Annotated[int, Field(ge=0, lt=2**32), Argument("seed"), example(42)] = 42
    """Seed of everything random."""
    gradient_checkpointing: Annotated[bool, Argument("gradient_checkpointing"), example(True)] = False
    """Less memory, more time."""
    mask: Annotated[
        Literal["figure", "figure-by-area", "prior"] | None,
        Argument("alpha_mask", lambda mask: mask is not None),
        Argument("mask_mode", lambda mask: None if mask == "figure" else mask),
        example("figure"),
    ] = None
    """`figure`: only the figure is learned, not its background; with the embedded trainer also `figure-by-area`, which
    weighs small figures as much as large ones, and `prior`, which holds the background to what the model draws."""
    save_every_epochs: Annotated[Count | None, Argument("save_every_n_epochs"), example(1)] = None
    """Keep the LoRA of every n-th epoch too."""
    extra: Annotated[dict[str, Any], example({"min_snr_gamma": 5, "optimizer_args": ["weight_decay=0.1"]})] = {}
    """Options of sd-scripts by their own names, checked against its own list."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            found = "neither epochs nor steps" if self.epochs is None else "both epochs and steps"
            raise fault(f"found {found}, expected one of them")
        if self.buckets and (self.buckets.max < max(self.resolution) or self.buckets.min > min(self.resolution)):
            raise fault(
                f"found resolution {self.resolution[0]}x{self.resolution[1]} outside the buckets "
                f"({self.buckets.min} to {self.buckets.max}), expected buckets = {{ min, max }} round it"
            )
        if any(side % 8 for side in self.resolution):
            raise fault(f"found resolution {self.resolution}, expected multiples of 8 (of a latent pixel)")
        if self.scheduler == "constant" and self.warmup_steps:
            raise fault(
                f'found warmup_steps = {self.warmup_steps} with scheduler = "constant", which has no warm-up; '
                'expected 0, or scheduler = "constant_with_warmup"'
            )
        return self

    @field_validator("extra")
    @classmethod
    def _extra_is_known(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if problems := extra_problems(extra, options_of(Buckets, "buckets.") | options_of(cls)):
            raise PydanticCustomError("options", "options", {"problems": problems})
        return extra

    @property
    def accumulation(self) -> int:
        """Batches of a step (``extra.gradient_accumulation_steps``)."""
        return int(self.extra.get("gradient_accumulation_steps", 1))
