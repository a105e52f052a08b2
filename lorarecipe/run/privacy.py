"""How much a LoRA's metadata tells: all that is known, nothing private, or only what programs need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Literal

Level = Literal["full", "public", "minimal"]

#: the trainers' settings and counts, without ``ss_``: none holds a caption, or the name of a folder or a person.
#: ``dataset_dirs``, ``datasets``, ``reg_dataset_dirs``, ``tag_frequency`` and ``training_comment`` do, and are not here
_SETTINGS = """
    adaptive_noise_scale base_model_version batch_size_per_device bucket_info bucket_no_upscale cache_latents
    caption_dropout_every_n_epochs caption_dropout_rate caption_tag_dropout_rate clip_skip color_aug
    debiased_estimation enable_bucket epoch face_crop_aug_range flip_aug fp8_base fp8_base_unet full_fp16
    gradient_accumulation_steps gradient_checkpointing huber_c huber_scale huber_schedule ip_noise_gamma
    ip_noise_gamma_random_strength keep_tokens learning_rate loss_type lowram lr_scheduler lr_warmup_steps
    max_bucket_reso max_grad_norm max_token_length max_train_steps min_bucket_reso min_snr_gamma mixed_precision
    multires_noise_discount multires_noise_iterations network_alpha network_args network_dim network_dropout
    network_module new_sd_model_hash new_vae_hash noise_offset noise_offset_random_strength num_batches_per_epoch
    num_epochs num_reg_images num_train_images num_validation_images optimizer output_name prior_loss_weight
    random_crop resize_interpolation resolution scale_weight_norms sd_model_hash sd_scripts_commit_hash seed session_id
    shuffle_caption steps text_encoder_lr total_batch_size training_finished_at training_started_at unet_lr v2 vae_hash
    zero_terminal_snr
"""
#: files, of which the name stays and the folder goes
_FILES = ("ss_sd_model_name", "ss_vae_name")
_PUBLIC = {*(f"ss_{name}" for name in _SETTINGS.split()), *_FILES}
_ABSOLUTE = re.compile(r"""(?:^|[\s"'=(\[,])(?:[/~]|[A-Za-z]:[\\/]|\\\\)""")

#: what programs read to load a LoRA (``SS_METADATA_MINIMUM_KEYS`` of sd-scripts), what ModelSpec requires, and what
#: lorarecipe needs to know its own files and the checkpoint of a base
_MINIMAL = {
    *("ss_v2", "ss_base_model_version", "ss_network_module", "ss_network_dim", "ss_network_alpha", "ss_network_args"),
    *("ss_output_name", "modelspec.sai_model_spec", "modelspec.architecture", "modelspec.implementation"),
    *("modelspec.title", "modelspec.resolution"),
    *("lorarecipe.key", "lorarecipe.version", "lorarecipe.checkpoint", "lorarecipe.rehearsal"),
}


def reduced(metadata: Mapping[str, str], level: Level) -> dict[str, str]:
    """Give what a level leaves of a LoRA's metadata."""
    if level == "full":
        return {**metadata}
    named = {name: PureWindowsPath(value).name if name in _FILES else value for name, value in metadata.items()}
    public = {name: value for name, value in named.items() if _is_public(name, value)}
    return public if level == "public" else {name: value for name, value in public.items() if name in _MINIMAL}


def _is_public(name: str, value: str) -> bool:
    if name.startswith("ss_"):
        return name in _PUBLIC and not _ABSOLUTE.search(value)
    return name.startswith(("modelspec.", "sshs_", "lorarecipe."))
