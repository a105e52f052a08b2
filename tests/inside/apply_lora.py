"""Run sd-scripts' U-Net with a LoRA that sd-scripts applied itself, and write what it answers to a fixed question.

Usage: python apply_lora.py CHECKOUT CHECKPOINT LORA ANSWER
"""

import sys
from types import SimpleNamespace


def main(checkout, checkpoint, lora, answer):
    sys.path.insert(0, checkout)
    import torch
    from library import train_util
    from networks import lora as networks_lora
    from safetensors.torch import load_file, save_file

    args = SimpleNamespace(pretrained_model_name_or_path=checkpoint, v2=False, vae=None)
    text_encoder, vae, unet, _ = train_util._load_target_model(args, torch.float32, "cpu")
    network, weights = networks_lora.create_network_from_weights(1.0, lora, vae, text_encoder, unet, for_inference=True)
    network.apply_to(text_encoder, unet)
    # strict: each key has its module, and each module its key
    assert {*network.state_dict()} == {*load_file(lora)}
    network.load_state_dict(weights, strict=True)
    torch.manual_seed(0)
    latents = torch.randn(2, unet.in_channels, 8, 8)
    tokens = torch.randint(0, 300, (2, 16))
    with torch.no_grad():
        states = text_encoder(tokens)[0]
        guess = unet(latents, torch.tensor([10, 700]), states).sample
    save_file({"states": states.contiguous(), "guess": guess.contiguous()}, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
