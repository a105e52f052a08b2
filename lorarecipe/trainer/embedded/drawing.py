"""Draw samples with a checkpoint and a LoRA, with the command line of sd-scripts' ``gen_img.py``."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from lorarecipe.trainer.embedded.network import encode, load_lora
from lorarecipe.weights.sd1 import LATENT_SCALE, NOISE_SCHEDULE

_OPTION = re.compile(r" --(n|d|am|f) ((?:(?! --).)+)")


@dataclass(frozen=True)
class Line:
    """A line of the file of prompts, with the options of sd-scripts that it may have."""

    prompt: str
    negative: str
    seed: int
    weight: float
    file: str

    @classmethod
    def read(cls, text: str) -> Line:
        """Read ``a prompt --n what not --d seed --am weight --f file``."""
        options = dict(_OPTION.findall(text))
        return cls(_OPTION.sub("", text), options.get("n", ""), int(options["d"]), float(options["am"]), options["f"])


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
        self, prompts: list[str], seeds: list[int], size: tuple[int, int], steps: int, scale: float, negative: str = ""
    ) -> list[Image.Image]:
        """Draw one picture a prompt with DDIM and classifier-free guidance; each from the noise of its own seed."""
        shape = (self.unet.config.in_channels, size[1] // 8, size[0] // 8)
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        latents = torch.stack(noise).to(self.device)  # drawn on the CPU: the same pictures on every device
        states = encode(self.tokenizer, self.text_encoder, [negative] * len(prompts) + prompts, self.clip_skip)
        self.scheduler.set_timesteps(steps)
        for when in self.scheduler.timesteps:
            without, asked = self.unet(torch.cat([latents, latents]), when, states).sample.chunk(2)
            latents = self.scheduler.step(without + scale * (asked - without), when, latents).prev_sample
        pixels = (self.vae.decode(latents / LATENT_SCALE).sample.clamp(-1, 1) + 1) * 127.5
        return [Image.fromarray(one) for one in pixels.round().byte().permute(0, 2, 3, 1).cpu().numpy()]


def main() -> None:
    """Draw every prompt of ``--from_file``."""
    parser = argparse.ArgumentParser(prog="gen_img.py", allow_abbrev=False)
    parser.add_argument("--ckpt", type=Path, required=True)
    parser.add_argument("--outdir", type=Path, required=True)
    parser.add_argument("--from_file", type=Path, required=True, help="a picture a line, with --d, --am, --f and --n")
    parser.add_argument("--network_module", choices=["networks.lora"])
    parser.add_argument("--network_weights", type=Path)
    parser.add_argument("--network_mul", type=float, help="overruled by each line's --am")
    parser.add_argument("--sampler", choices=["ddim"], required=True)
    parser.add_argument("--clip_skip", type=int)
    parser.add_argument("--W", type=int, required=True)
    parser.add_argument("--H", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    given = parser.parse_args()
    given.outdir.mkdir(parents=True, exist_ok=True)
    lines = [Line.read(text) for text in given.from_file.read_text("utf-8").splitlines()]
    for weight in dict.fromkeys(line.weight for line in lines):
        sampler = Sampler(given.ckpt, given.network_weights, weight, given.clip_skip)
        # one by one: in a batch a picture's last bits depend on the others, and so on where a run was stopped
        for line in (line for line in lines if line.weight == weight):
            size = (given.W, given.H)
            [picture] = sampler.draw([line.prompt], [line.seed], size, given.steps, given.scale, line.negative)
            draft = given.outdir / f".{line.file}.part"
            picture.save(draft, "PNG")
            os.replace(draft, given.outdir / line.file)  # noqa: PTH105
            print(line.file, flush=True)
