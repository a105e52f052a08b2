"""Write a checkpoint of random weights, from sd-scripts' own classes: SD1.5 and SD2 at full size.

Usage: python random_checkpoint.py CHECKOUT FAMILY FILE
"""

import os
import sys


def main(checkout, family, path):
    sys.path.insert(0, checkout)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from diffusers import AutoencoderKL
    from library import model_util, sdxl_model_util, sdxl_original_unet
    from library.original_unet import UNet2DConditionModel

    torch.manual_seed(0)
    vae = AutoencoderKL(**model_util.create_vae_diffusers_config())
    if family == "sdxl":
        unet = sdxl_original_unet.SdxlUNet2DConditionModel()
        first, second = encoder(768, 12, 12), encoder(1280, 32, 20, projection=True)
        sdxl_model_util.save_stable_diffusion_checkpoint(
            path, first, second, unet, 0, 0, None, vae, torch.zeros(()), {}, torch.float16
        )
        return
    v2 = family == "sd2"
    unet = UNet2DConditionModel(**model_util.create_unet_diffusers_config(v2, v2))
    text_encoder = encoder(1024, 23, 16) if v2 else encoder(768, 12, 12)
    model_util.save_stable_diffusion_checkpoint(v2, path, text_encoder, unet, None, 0, 0, {}, torch.float16, vae)


def encoder(width, layers, heads, projection=False):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    sizes = {"hidden_size": width, "intermediate_size": 4 * width, "projection_dim": width}
    config = CLIPTextConfig(vocab_size=49408, num_hidden_layers=layers, num_attention_heads=heads, **sizes)
    return CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config)


if __name__ == "__main__":
    main(*sys.argv[1:])
