"""What the checkpoints of several families have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lorarecipe.weights import Folder, Weights

#: the checkpoint, one file or a Diffusers folder; and a VAE to use in place of its own
CHECKPOINT_AND_VAE: Sequence[str] = ("path", "vae")


def has_tensors(checkpoint: Weights | Folder, prefix: str) -> bool:
    """Tell whether the name of any tensor begins with ``prefix``."""
    return any(name.startswith(prefix) for name in checkpoint.names)


def text_width(checkpoint: Weights | Folder) -> int | None:
    """Width of the text encoder's output by the U-Net's configuration; None for a single file, which has none."""
    return checkpoint.text_width if isinstance(checkpoint, Folder) else None


#: U-Net's modules that read the text encoder's output, and text encoders' modules that read its layers' outputs
_READERS_OF_TEXT = ("attn2_to_k", "attn2_to_v")
_BLOCKS = ("lora_unet_down_blocks_", "lora_unet_mid_block_", "lora_unet_up_blocks_")
_READERS_OF_LAYERS = ("self_attn_q_proj", "self_attn_k_proj", "self_attn_v_proj", "mlp_fc1")


def lora_text_width(inputs: Mapping[str, int]) -> int | None:
    """Width of the text encoder's output by the modules of a LoRA; None where none says it.

    The U-Net's modules are those that are named as Diffusers names the layers, as only SDXL's may not be.

    Parameters
    ----------
    inputs
        How many numbers the layer of each module reads.
    """
    readers = [name for name in inputs if name.startswith(_BLOCKS) and name.endswith(_READERS_OF_TEXT)]
    readers += [name for name in inputs if name.startswith("lora_te_") and name.endswith(_READERS_OF_LAYERS)]
    return inputs[readers[0]] if readers else None


#: entries of a file that predicts velocity, as A1111, Forge and ComfyUI read them
_MARKS = ("v_pred", "ztsnr")
_PREDICTIONS = {"v": True, "v_prediction": True, "v-prediction": True, "epsilon": False}


def stated_prediction(checkpoint: Weights | Folder) -> tuple[bool, str] | None:
    """Read what a checkpoint says of what it predicts.

    Returns
    -------
    tuple of bool and str, or None
        Whether it predicts velocity, and where it says so; None when it says nothing.
    """
    if isinstance(checkpoint, Folder):  # of these, TRN002 refuses any that predicts velocity
        return None
    if marks := [mark for mark in _MARKS if mark in checkpoint.names]:
        return True, f"its file has an entry {marks[0]}"
    prediction = checkpoint.metadata.get("modelspec.prediction_type", "").lower()
    if prediction not in _PREDICTIONS or _is_written_unseen(checkpoint.metadata, velocity=_PREDICTIONS[prediction]):
        return None
    return _PREDICTIONS[prediction], f"modelspec.prediction_type = {prediction}"


def _is_written_unseen(metadata: Mapping[str, str], *, velocity: bool) -> bool:
    """Tell whether sd-scripts wrote the kind at the end of a merge, where it cannot know it.

    Its ``merge_lora.py`` writes ``v`` for every SD2 checkpoint and ``epsilon`` for SD1, ``sdxl_merge_lora.py`` always
    ``epsilon``; both write ``merged_from``.
    """
    of_sd2 = metadata.get("modelspec.architecture", "").startswith("stable-diffusion-v2")
    return "modelspec.merged_from" in metadata and velocity == of_sd2
