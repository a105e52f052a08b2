"""What a model family has to say of itself: its files, its LoRA modules, its scripts and their arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lorarecipe.weights import Folder, Weights


class Family(Protocol):
    """One file of this folder: what differs between families, so that no other room asks which one it is."""

    NAME: str
    """Name in a recipe and in the keys of stages."""
    COMPONENTS: Sequence[str]
    """Keys of ``[checkpoint]`` that name files of a checkpoint; the first is what is merged into."""
    TOKENIZERS: tuple[str, ...]
    """Folders of tokenizers that the trainer reads: a hub's name with ``/`` written as ``_``."""
    NETWORK_MODULE: str
    """The trainer's module that makes the LoRA."""
    TRAIN_SCRIPT: str
    """The trainer's script."""
    TRAIN_ARGUMENTS: Mapping[str, object]
    """Arguments that this family's trainings have."""
    SAMPLE_ARGUMENTS: Mapping[str, object]
    """Arguments that the sampler has for this family."""
    READS_CLIP_SKIP: bool
    """Whether ``clip_skip`` changes anything."""
    VAE_OVERFLOWS: bool
    """Whether the family's VAE gives numbers in half precision that are not finite."""
    HUB_TAG: str
    """Tag of the family's models on the Hugging Face hub."""
    PIPELINE: str
    """Class of diffusers that draws with such a checkpoint."""
    CIVITAI: str
    """Name of the family in Civitai's list of base models."""

    ARCHITECTURES: tuple[str, str]
    """Names of its checkpoints in ModelSpec: of one that predicts noise, and of one that predicts velocity."""
    IMPLEMENTATION: str
    """ModelSpec's name of the code that its LoRAs are for."""
    WEB_UI_VERSION: str
    """Name of the family in the notes that A1111's web UI keeps of a LoRA."""

    def recognises(self, checkpoint: Weights | Folder) -> bool:
        """Tell whether a checkpoint is of this family, by the names of its tensors or by its configuration."""

    def recognises_lora(self, inputs: Mapping[str, int]) -> bool:
        """Tell whether a LoRA is of this family, by its modules' names, as kohya writes them, and inputs.

        Parameters
        ----------
        inputs
            How many numbers the layer of each module reads.
        """

    def modules_of(self, weight: str) -> tuple[str, ...]:
        """List the LoRA modules that may sit on a checkpoint's weight, by kohya's names.

        Parameters
        ----------
        weight
            Name of a tensor in a single-file checkpoint, or in a Diffusers folder (``unet.``, ``text_encoder.``).

        Returns
        -------
        tuple of str
            None, one, or three modules: OpenCLIP keeps query, key and value (in this order, along the first axis) in
            one tensor.
        """

    def is_trained(self, module: str) -> bool:
        """Tell whether the trainer trains a module, of those that it can train, by default."""
