"""Draw samples with a checkpoint and a LoRA, with the command line of sd-scripts' script of this name."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from lorarecipe.marked import mark
from lorarecipe.trainer.embedded.network import encode, load_lora
from lorarecipe.weights.sd1 import LATENT_SCALE, NOISE_SCHEDULE

#: pictures of a batch; with guidance the U-Net sees each twice
_AT_ONCE = 4


def batched(seeds: list[int], size: int) -> list[list[int]]:
    """Cut a list into parts."""
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


class Sampler:
    """A checkpoint, ready to draw; ``lora`` at ``weight`` is added to its weights."""

    def __init__(
        self, checkpoint: Path, lora: Path | None = None, weight: float = 1.0, clip_skip: int | None = None
    ) -> None:
        self.vae = AutoencoderKL.from_pretrained(checkpoint, subfolder="vae", torch_dtype=torch.float32).eval()
        self.unet = UNet2DConditionModel.from_pretrained(checkpoint, subfolder="unet", torch_dtype=torch.float32).eval()
        self.text_encoder = CLIPTextModel.from_pretrained(checkpoint, subfolder="text_encoder", dtype=torch.float32)
        self.text_encoder.eval()
        self.tokenizer = CLIPTokenizer.from_pretrained(checkpoint / "tokenizer")
        self.scheduler = DDIMScheduler(**NOISE_SCHEDULE, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
        self.clip_skip = clip_skip
        if lora:
            load_lora(lora, self.unet, self.text_encoder, weight)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        for model in (self.vae, self.unet, self.text_encoder):
            model.to(self.device)

    @torch.no_grad()
    def draw(
        self, prompts: list[str], seeds: list[int], size: tuple[int, int], steps: int, scale: float
    ) -> list[Image.Image]:
        """Draw one picture a prompt with DDIM and classifier-free guidance; each from the noise of its own seed."""
        shape = (self.unet.config.in_channels, size[1] // 8, size[0] // 8)
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        latents = torch.stack(noise).to(self.device)  # drawn on the CPU: the same pictures on every device
        states = encode(self.tokenizer, self.text_encoder, [""] * len(prompts) + prompts, self.clip_skip)
        self.scheduler.set_timesteps(steps)
        for when in self.scheduler.timesteps:
            without, told = self.unet(torch.cat([latents, latents]), when, states).sample.chunk(2)
            latents = self.scheduler.step(without + scale * (told - without), when, latents).prev_sample
        pixels = (self.vae.decode(latents / LATENT_SCALE).sample.clamp(-1, 1) + 1) * 127.5
        return [Image.fromarray(one) for one in pixels.round().byte().permute(0, 2, 3, 1).cpu().numpy()]


def main() -> None:
    """Draw every prompt of ``--from_file``."""
    parser = argparse.ArgumentParser(prog="gen_img.py", allow_abbrev=False)
    parser.add_argument("--ckpt", type=Path, required=True)
    parser.add_argument("--outdir", type=Path, required=True)
    parser.add_argument("--from_file", type=Path, required=True, help="one prompt a line")
    parser.add_argument("--network_weights", type=Path)
    parser.add_argument("--network_mul", type=float, default=1.0)
    parser.add_argument("--clip_skip", type=int)
    parser.add_argument("--W", type=int, required=True)
    parser.add_argument("--H", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True, help="of the first picture of a prompt; then counted up")
    parser.add_argument("--images_per_prompt", type=int, default=1)
    given = parser.parse_args()
    sampler = Sampler(given.ckpt, given.network_weights, given.network_mul, given.clip_skip)
    given.outdir.mkdir(parents=True, exist_ok=True)
    seeds = [given.seed + index for index in range(given.images_per_prompt)]
    for number, prompt in enumerate(given.from_file.read_text("utf-8").splitlines()):
        pictures = []
        for some in batched(seeds, _AT_ONCE):
            pictures += sampler.draw([prompt] * len(some), some, (given.W, given.H), given.steps, given.scale)
        for seed, picture in zip(seeds, pictures, strict=True):
            # the form that A1111's web UI writes, and that it and ComfyUI read
            settings = f"Steps: {given.steps}, Sampler: DDIM, CFG scale: {given.scale:g}, Seed: {seed}"
            told = mark(parameters=f"{prompt}\n{settings}, Size: {given.W}x{given.H}")
            draft = given.outdir / f".{number:02}-{seed}.part"
            picture.save(draft, "PNG", pnginfo=told)
            os.replace(draft, given.outdir / f"{number:02}-{seed}.png")  # noqa: PTH105
        print(f"{number + 1} {prompt}", flush=True)


if __name__ == "__main__":
    main()
