"""Print, per family, the checkpoint's weights (name -> shape) and the modules that networks.lora trains on it.

Usage: python modules.py CHECKOUT. Models are built without memory, on torch's meta device.
"""

import contextlib
import io
import json
import os
import sys


def main(checkout):
    sys.path.insert(0, checkout)
    os.environ["HF_HUB_OFFLINE"] = "1"
    with contextlib.redirect_stdout(io.StringIO()):
        import torch
        from library import model_util, sdxl_model_util, sdxl_original_unet
        from library.original_unet import UNet2DConditionModel
        from networks import lora
        from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

        told = {}
        with torch.device("meta"):
            for family, v2 in (("sd15", False), ("sd2", True)):
                unet = UNet2DConditionModel(**model_util.create_unet_diffusers_config(v2, v2))
                width, layers, heads = (1024, 23, 16) if v2 else (768, 12, 12)
                encoder = CLIPTextModel(CLIPTextConfig(hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers, num_attention_heads=heads))  # fmt: skip
                weights = prefixed(
                    "model.diffusion_model.", model_util.convert_unet_state_dict_to_sd(v2, unet.state_dict())
                )
                if v2:
                    open_clip = model_util.convert_text_encoder_state_dict_to_sd_v2(encoder.state_dict(), True)
                    weights |= prefixed("cond_stage_model.model.", open_clip)
                else:
                    weights |= prefixed("cond_stage_model.transformer.", encoder.state_dict())
                told[family] = describe(lora, weights, encoder, unet)
            unet = sdxl_original_unet.SdxlUNet2DConditionModel()
            first = CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12))  # fmt: skip
            second = CLIPTextModelWithProjection(CLIPTextConfig(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, projection_dim=1280))  # fmt: skip
            logit_scale = torch.zeros(())
            open_clip = sdxl_model_util.convert_text_encoder_2_state_dict_to_sdxl(second.state_dict(), logit_scale)
            weights = prefixed("model.diffusion_model.", unet.state_dict())
            weights |= prefixed("conditioner.embedders.0.transformer.", first.state_dict())
            weights |= prefixed("conditioner.embedders.1.model.", open_clip)
            told["sdxl"] = describe(lora, weights, [first, second], unet)
    print(json.dumps(told))


def prefixed(prefix, tensors):
    return {prefix + name: list(tensor.shape) for name, tensor in tensors.items()}


def describe(lora, weights, encoders, unet):
    network = lora.create_network(1.0, 1, 1, None, encoders, unet)
    modules = [module.lora_name for module in network.text_encoder_loras + network.unet_loras]
    return {"weights": weights, "modules": sorted(modules)}


if __name__ == "__main__":
    main(sys.argv[1])
