"""Write a full-size SD1.5 checkpoint of random weights, from sd-scripts' own classes.

Usage: python random_checkpoint.py CHECKOUT FILE
"""

import os
import sys


def main(checkout, path):
    sys.path.insert(0, checkout)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from diffusers import AutoencoderKL
    from library import model_util
    from library.original_unet import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(**model_util.create_unet_diffusers_config(False))
    vae = AutoencoderKL(**model_util.create_vae_diffusers_config())
    layers = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
    text_encoder = CLIPTextModel(CLIPTextConfig(vocab_size=49408, **layers))
    model_util.save_stable_diffusion_checkpoint(False, path, text_encoder, unet, None, 0, 0, {}, torch.float16, vae)


if __name__ == "__main__":
    main(*sys.argv[1:])
