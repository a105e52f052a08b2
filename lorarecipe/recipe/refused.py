"""Options of sd-scripts that a recipe's ``extra`` may not hold, each with the reason.

Complete: every option of ``vendor/options.json`` that ``options.py`` neither allows nor has a key of the recipe for (a
test holds it so). Each reason was read from the pinned checkout: what the option does beside cached latents, staged
images without transparency, a dataset TOML and ``networks.lora``.
"""

from __future__ import annotations

#: reason -> options, separated by spaces; a reason ends the sentence "a recipe may not set it: ..."
_REFUSED = {
    "lorarecipe sets it itself": """
        cache_latents console_log_simple log_with logging_dir network_module save_model_as sdpa
        tokenizer_cache_dir training_comment
    """,
    "lorarecipe itself saves the states of a training and goes on from them": """
        initial_epoch initial_step log_prefix resume save_last_n_epochs_state save_state save_state_on_train_end
        skip_until_initial_step
    """,
    "lorarecipe sets it itself: it stages each caption as a .txt file": """
        caption_extension caption_extention
    """,
    "lorarecipe sets it itself, to the name of the recipe": """
        metadata_title
    """,
    "lorarecipe checks captions as they stand in their files, as tags with commas between them": """
        caption_prefix caption_separator caption_suffix enable_wildcard keep_tokens_separator secondary_separator
    """,
    "it needs images that are read anew at each step, and lorarecipe caches latents": """
        color_aug face_crop_aug_range random_crop
    """,
    "the recipe's mask is what leaves backgrounds out, by the figure of each image": """
        conditioning_data_dir masked_loss
    """,
    "the method has no regularisation images": """
        prior_loss_weight reg_data_dir
    """,
    "the method trains on all images and keeps none back for validation": """
        max_validation_steps validate_every_n_epochs validate_every_n_steps validation_seed validation_split
    """,
    "it is for caches beside the staged images, which another training would take for its own": """
        cache_info cache_latents_to_disk cache_text_encoder_outputs_to_disk skip_cache_check
    """,
    "a LoRA begins with new weights of the recipe's rank; a base goes in by merge.mode": """
        dim_from_weights network_weights
    """,
    "the U-Net has to be trained: the look of a character is learned there": """
        network_train_text_encoder_only
    """,
    "lorarecipe uses no data workers: with them, small sets are seen unevenly": """
        max_data_loader_n_workers persistent_data_loader_workers
    """,
    "it is for DeepSpeed, which is not installed with the trainer": """
        deepspeed fp16_master_weights_and_gradients offload_optimizer_device offload_optimizer_nvme_path
        offload_param_device offload_param_nvme_path zero3_init_flag zero3_save_16bit_model zero_stage
    """,
    "the U-Nets of SD1, SD2 and SDXL do not support it": """
        cpu_offload_checkpointing
    """,
    "it has no effect on what is learned": """
        ddp_gradient_as_bucket_view ddp_static_graph ddp_timeout disable_mmap_load_safetensors
        fused_backward_pass mem_eff_attn
    """,
    "save_every_epochs of the recipe says which LoRAs are saved, and all of them are kept": """
        save_last_n_epochs save_last_n_steps save_last_n_steps_state save_n_epoch_ratio
    """,
    "lorarecipe draws the pictures itself, when the training is done": """
        sample_at_first sample_every_n_epochs sample_every_n_steps sample_prompts sample_sampler
    """,
    "lorarecipe reads the logs of a training itself, and decides where they go and what is in them": """
        console_log_file console_log_level log_config log_tracker_name
    """,
    "it shows the images and does not train": """
        debug_dataset
    """,
    "all that a training is made from stands in the recipe and its folders, in no other file": """
        config_file in_json log_tracker_config metadata_thumbnail output_config
    """,
    "it would import any code by its name": """
        dataset_class
    """,
    "it is for a server, or a secret for one, and lorarecipe trains without any": """
        async_upload huggingface_path_in_repo huggingface_repo_id huggingface_repo_type
        huggingface_repo_visibility huggingface_token resume_from_huggingface save_state_to_huggingface
        wandb_api_key wandb_run_name
    """,
    "it only describes the LoRA, yet a change of it would have everything trained again": """
        metadata_author metadata_description metadata_is_negative_embedding metadata_license metadata_merged_from
        metadata_preprocessor metadata_tags metadata_trigger_phrase metadata_usage_hint
    """,
    "the file of a LoRA has to tell how it was trained": """
        no_metadata
    """,
    "a training with it cannot go on from a saved state: it would begin again with new weights or captions": """
        dynamo_backend token_warmup_min token_warmup_step torch_compile
    """,
    "it is for a scheduler that recipes do not have": """
        lr_decay_steps lr_scheduler_min_lr_ratio lr_scheduler_timescale
    """,
    "it is not installed with the trainer; lorarecipe uses sdpa": """
        xformers
    """,
}

#: option -> reason
REFUSED = {option: reason for reason, options in _REFUSED.items() for option in options.split()}
