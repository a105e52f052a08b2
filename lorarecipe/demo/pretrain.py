"""Train the nano checkpoint: a Stable Diffusion 1 in miniature that draws the demo's world.

``python -m lorarecipe.demo.pretrain FOLDER`` draws the data, trains the autoencoder, then the text encoder and the
U-Net together, and writes a Diffusers folder (``nano``) with its measured quality, and the judge that measured it. It
is seeded, saves its state on the way, and goes on from it when run again. Two cores take about two hours. The one that
is shipped was made in two sittings: with ``--steps 9000``, and then without.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from lorarecipe.demo.judge import WEIGHTS, Judge, answers_of
from lorarecipe.demo.optimise import optimise
from lorarecipe.demo.quality import SIZE, figure_of, measure
from lorarecipe.demo.tokenizer import LENGTH, write_tokenizer
from lorarecipe.demo.world import Figure, Look, draw
from lorarecipe.weights.sd1 import LATENT_SCALE, NOISE_SCHEDULE

LATENT_CHANNELS = 16
#: step from which on hair of any colour is seen too: a prior of nine colours alone has no room for a tenth
FREE_FROM = 9000


def caption_of(figure: Figure, dice: random.Random) -> str:
    """Write a caption as a tagger would: ``1girl`` first, then tags in any order, a few forgotten; at times nothing."""
    if dice.random() < 0.1:
        return ""
    tags = [tag for tag in figure.tags if tag == "from behind" or dice.random() < 0.88]
    dice.shuffle(tags)
    return ", ".join(["1girl", *tags])


def train(folder: Path, images: int, autoencoder_steps: int, steps: int) -> None:
    """Train all of it and write the checkpoint to ``folder``; states are kept in ``folder/state``."""
    torch.manual_seed(0)
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    wanted, drawn = _world(state, images)
    # the autoencoder and the judge know the 3D look, which the U-Net never sees
    pictures, figures = drawn[:images], [figure for figure, _ in wanted[:images]]
    vae = _autoencoder(state, drawn, pictures, autoencoder_steps)
    free_figures, free_pictures = _free(state, images // 2)
    figures += free_figures
    vocabulary = write_tokenizer(folder / "nano" / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(folder / "nano" / "tokenizer")
    text_encoder, unet = _networks(vocabulary)
    latents = _encoded(vae, torch.cat([pictures, free_pictures]))
    dice = random.Random(0)
    model = torch.nn.ModuleDict({"unet": unet, "text_encoder": text_encoder})
    noise = DDPMScheduler(**NOISE_SCHEDULE)
    snr = noise.alphas_cumprod / (1 - noise.alphas_cumprod)
    weight = snr.clamp(max=5) / snr  # min-SNR (Hang et al. 2023), which trains faster from nothing

    def loss(step: int) -> Tensor:
        chosen = torch.randint(len(latents) if step > FREE_FROM else images, (32,))
        captions = [caption_of(figures[index], dice) for index in chosen.tolist()]
        tokens = tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
        clean, target, when = latents[chosen], torch.randn(32, *latents.shape[1:]), torch.randint(1000, (32,))
        guess = unet(noise.add_noise(clean, target, when), when, text_encoder(tokens.input_ids)[0]).sample
        return ((guess - target).square().mean(dim=(1, 2, 3)) * weight[when]).mean()

    averaged = optimise("diffusion", model, loss, state, steps, rate=1.2e-3, dice=dice)
    model.load_state_dict(averaged)
    checkpoint = folder / "nano"
    _write(checkpoint, vae, text_encoder, unet)
    judge = _judge(state, wanted, drawn)
    save_file({name: tensor.half() for name, tensor in judge.state_dict().items()}, folder / WEIGHTS.name)
    quality = measure(checkpoint, judge)
    print(quality)
    file = checkpoint / "unet" / "diffusion_pytorch_model.safetensors"
    save_file(load_file(file), file, metadata={"format": "pt", "lorarecipe.quality": json.dumps(quality)})


@torch.no_grad()
def _encoded(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    return torch.cat([vae.encode(_pixels(part)).latent_dist.mean for part in pictures.split(64)]) * LATENT_SCALE


def _world(state: Path, images: int) -> tuple[list[tuple[Figure, Look]], Tensor]:
    """Draw it: the flat pictures first, then as many renders as a fifth of them."""
    dice = random.Random(1)
    figures = [figure_of(dice) for _ in range(images)]
    wanted: list[tuple[Figure, Look]] = [(figure, "flat") for figure in figures]
    wanted += [(_recoloured(figure, dice), "3d") for figure in figures[: images // 5]]
    return wanted, _kept(state / f"world-{images}.pt", wanted)


def _free(state: Path, images: int) -> tuple[list[Figure], Tensor]:
    """Draw flat figures whose hair has any colour, and no tag for it."""
    dice = random.Random(3)
    figures = [replace(figure_of(dice), hair=_any_colour(dice)) for _ in range(images)]
    return figures, _kept(state / f"free-{images}.pt", [(figure, "flat") for figure in figures])


def _kept(file: Path, wanted: Sequence[tuple[Figure, Look]]) -> Tensor:
    """Draw pictures once."""
    if not file.exists():
        with ProcessPoolExecutor() as pool:
            drawn = np.stack(list(pool.map(_drawn, wanted, range(len(wanted)), chunksize=100)))
        torch.save(torch.tensor(drawn), file)
    return torch.load(file)


def _drawn(wanted: tuple[Figure, Look], seed: int) -> NDArray[np.uint8]:
    return np.asarray(draw(*wanted, SIZE, seed))


def _recoloured(figure: Figure, dice: random.Random) -> Figure:
    """Give a figure hair of any colour, as a character's may be, and mostly a white background."""
    colour = _any_colour(dice)
    return replace(figure, hair=colour, background=figure.background if dice.random() < 0.3 else "white background")


def _any_colour(dice: random.Random) -> tuple[int, int, int]:
    return dice.randint(30, 250), dice.randint(30, 250), dice.randint(30, 250)


def _pixels(pictures: Tensor) -> Tensor:
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1


def _autoencoder(state: Path, pictures: Tensor, flat: Tensor, steps: int) -> AutoencoderKL:
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 32, 64),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=4,
        sample_size=SIZE,
        scaling_factor=LATENT_SCALE,
        mid_block_add_attention=False,
    )

    def loss(_: int) -> Tensor:
        wanted = _pixels(pictures[torch.randint(len(pictures), (16,))])
        latent = vae.encode(wanted).latent_dist.mean
        # noise on the latent: the decoder has to forgive the U-Net's small errors
        drawn = vae.decode(latent + 0.05 * latent.detach().std() * torch.randn_like(latent)).sample
        apart = drawn - wanted
        return apart.abs().mean() + apart.square().mean() + 1e-4 * latent.square().mean()

    vae.load_state_dict(optimise("autoencoder", vae, loss, state, steps, rate=3e-3))
    return _standardised(vae.eval().requires_grad_(False), flat[:2000])


def _standardised(vae: AutoencoderKL, pictures: Tensor) -> AutoencoderKL:
    """Make scaled latents have mean 0 and deviation 1 in each channel, and no spread of their own."""
    latents = torch.cat([vae.encode(_pixels(part)).latent_dist.mean for part in pictures.split(64)])
    mean, spread = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3)) * LATENT_SCALE
    into, out = vae.quant_conv, vae.post_quant_conv
    out.bias.copy_(out.bias + out.weight[:, :, 0, 0] @ mean)
    out.weight.mul_(spread[None, :, None, None])
    into.weight[:LATENT_CHANNELS].div_(spread[:, None, None, None])
    into.bias[:LATENT_CHANNELS].sub_(mean).div_(spread)
    into.weight[LATENT_CHANNELS:] = 0
    into.bias[LATENT_CHANNELS:] = -30
    return vae


def _networks(vocabulary: int) -> tuple[CLIPTextModel, UNet2DConditionModel]:
    text = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        projection_dim=128,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=vocabulary - 1,
    )
    unet = UNet2DConditionModel(
        sample_size=SIZE // 8,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(64, 96, 96),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=128,
        attention_head_dim=8,
    )
    return CLIPTextModel(text), unet


def _write(folder: Path, vae: AutoencoderKL, text_encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
    for name, part in (("vae", vae), ("text_encoder", text_encoder), ("unet", unet)):
        part.half().save_pretrained(folder / name)
    # transformers 5 leaves the prefix out; older ones, and kohya's names, have it
    file = folder / "text_encoder" / "model.safetensors"
    weights = {f"text_model.{key.removeprefix('text_model.')}": tensor for key, tensor in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})
    DDIMScheduler(**NOISE_SCHEDULE, clip_sample=False, set_alpha_to_one=False, steps_offset=1).save_pretrained(
        folder / "scheduler"
    )
    parts = {
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
    }
    index = {"_class_name": "StableDiffusionPipeline", **parts, "requires_safety_checker": False}
    (folder / "model_index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _judge(state: Path, wanted: list[tuple[Figure, Look]], drawn: Tensor) -> Judge:
    judge = Judge()
    truth = torch.tensor([answers_of(figure, look) for figure, look in wanted])

    def loss(_: int) -> Tensor:
        chosen = torch.randint(len(drawn), (64,))
        return judge.loss(_pixels(drawn[chosen]), truth[chosen])

    judge.load_state_dict(optimise("judge", judge, loss, state, 1500, rate=2e-3))
    return judge.eval()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the nano checkpoint.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=12000)
    parser.add_argument("--autoencoder-steps", type=int, default=2500)
    parser.add_argument("--steps", type=int, default=11500)
    given = parser.parse_args()
    train(given.folder, given.images, given.autoencoder_steps, given.steps)


if __name__ == "__main__":
    main()
