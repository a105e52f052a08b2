"""Draw samples with a checkpoint and a LoRA, with the command line of sd-scripts' script of this name."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from PIL import Image, PngImagePlugin
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from lorarecipe.trainer.embedded.data import SCALE
from lorarecipe.trainer.embedded.network import load_lora


class Sampler:
    """A checkpoint, ready to draw; ``lora`` at ``weight`` is added to its weights."""

    def __init__(self, checkpoint: Path, lora: Path | None = None, weight: float = 1.0) -> None:
        self.vae = AutoencoderKL.from_pretrained(checkpoint, subfolder="vae", torch_dtype=torch.float32).eval()
        self.unet = UNet2DConditionModel.from_pretrained(checkpoint, subfolder="unet", torch_dtype=torch.float32).eval()
        self.text_encoder = CLIPTextModel.from_pretrained(checkpoint, subfolder="text_encoder", dtype=torch.float32)
        self.text_encoder.eval()
        self.tokenizer = CLIPTokenizer.from_pretrained(checkpoint / "tokenizer")
        self.scheduler = DDIMScheduler.from_pretrained(checkpoint, subfolder="scheduler")
        if lora:
            load_lora(lora, self.unet, self.text_encoder, weight)

    @torch.no_grad()
    def draw(
        self, prompts: list[str], seeds: list[int], size: tuple[int, int], steps: int, scale: float
    ) -> list[Image.Image]:
        """Draw one picture a prompt with DDIM and classifier-free guidance; each from the noise of its own seed."""
        shape = (self.unet.config.in_channels, size[1] // 8, size[0] // 8)
        latents = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        states = torch.cat([self._encode([""] * len(prompts)), self._encode(prompts)])
        self.scheduler.set_timesteps(steps)
        for when in self.scheduler.timesteps:
            without, told = self.unet(torch.cat([latents, latents]), when, states).sample.chunk(2)
            latents = self.scheduler.step(without + scale * (told - without), when, latents).prev_sample
        pixels = (self.vae.decode(latents / SCALE).sample.clamp(-1, 1) + 1) * 127.5
        return [Image.fromarray(one) for one in pixels.round().byte().permute(0, 2, 3, 1).numpy()]

    def _encode(self, prompts: list[str]) -> Tensor:
        tokens = self.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt")
        return self.text_encoder(tokens.input_ids)[0]


def main() -> None:
    """Draw every prompt of ``--from_file``; a picture that is there already is not drawn again."""
    parser = argparse.ArgumentParser(prog="gen_img.py", allow_abbrev=False)
    parser.add_argument("--ckpt", type=Path, required=True)
    parser.add_argument("--outdir", type=Path, required=True)
    parser.add_argument("--from_file", type=Path, required=True, help="one prompt a line")
    parser.add_argument("--network_weights", type=Path)
    parser.add_argument("--network_mul", type=float, default=1.0)
    parser.add_argument("--W", type=int, required=True)
    parser.add_argument("--H", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True, help="of the first picture of a prompt; then counted up")
    parser.add_argument("--images_per_prompt", type=int, default=1)
    given = parser.parse_args()
    sampler = Sampler(given.ckpt, given.network_weights, given.network_mul)
    given.outdir.mkdir(parents=True, exist_ok=True)
    seeds = [given.seed + index for index in range(given.images_per_prompt)]
    for number, prompt in enumerate(given.from_file.read_text("utf-8").splitlines()):
        pictures = sampler.draw([prompt] * len(seeds), seeds, (given.W, given.H), given.steps, given.scale)
        for seed, picture in zip(seeds, pictures, strict=True):
            told = PngImagePlugin.PngInfo()
            # the form that A1111's web UI writes, and that it and ComfyUI read
            settings = f"Steps: {given.steps}, Sampler: DDIM, CFG scale: {given.scale:g}, Seed: {seed}"
            told.add_text("parameters", f"{prompt}\n{settings}, Size: {given.W}x{given.H}")
            told.add_text("Software", "lorarecipe")
            draft = given.outdir / f".{number:02}-{seed}.part"
            picture.save(draft, "PNG", pnginfo=told)
            os.replace(draft, given.outdir / f"{number:02}-{seed}.png")  # noqa: PTH105
        print(f"{number + 1} {prompt}", flush=True)


if __name__ == "__main__":
    main()
