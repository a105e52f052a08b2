"""Train a LoRA on an SD1 checkpoint in Diffusers' format, with the command line of sd-scripts' ``train_network.py``."""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, set_seed
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from diffusers.optimization import get_scheduler
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm
from transformers import CLIPTextModel, CLIPTokenizer

from lorarecipe.trainer.embedded.arguments import parse, read_dataset
from lorarecipe.trainer.embedded.data import Batches, Sample, images_of, shared
from lorarecipe.trainer.embedded.network import add_lora, encode, kohya_state, parameters, without_lora
from lorarecipe.weights.sd1 import NOISE_SCHEDULE

#: written last into the folder of a state
STATE = "state.pt"

#: a mask that is smaller than this share of its image counts as if it were as large
_LEAST_AREA = 0.01

#: arguments that the metadata repeats under their own names
_TOLD = (
    *("output_name", "network_module", "network_dim", "network_alpha", "learning_rate", "unet_lr", "text_encoder_lr"),
    *("lr_scheduler", "lr_warmup_steps", "mixed_precision", "gradient_checkpointing", "clip_skip", "min_snr_gamma"),
    *("seed", "training_comment"),
)


class Training:
    """Models, LoRA, optimizer and batches of one training."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, folder = args, args.pretrained_model_name_or_path
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what the next line asks for on a GPU
        torch.use_deterministic_algorithms(True, warn_only=True)
        logs = args.logging_dir and args.logging_dir / f"{args.log_prefix}{time.strftime('%Y%m%d%H%M%S')}"
        self.accelerator = Accelerator(mixed_precision=args.mixed_precision, log_with=args.log_with, project_dir=logs)
        self.accelerator.init_trackers("network_train")
        set_seed(args.seed)
        device = self.accelerator.device
        vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", torch_dtype=torch.float32).to(device).eval()
        self.unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=torch.float32)
        self.text_encoder = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", dtype=torch.float32)
        for model in (self.unet, self.text_encoder):
            model.requires_grad_(False).to(device).train()
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.noise = DDPMScheduler(**NOISE_SCHEDULE)
        self.batches = Batches(*read_dataset(args.dataset_config), vae)
        processes = self.accelerator.num_processes
        self.per_epoch = math.ceil(len(self.batches.epoch(0)) / processes)
        self.steps = args.max_train_epochs * self.per_epoch if args.max_train_epochs else args.max_train_steps
        self.epochs = math.ceil(self.steps / self.per_epoch)
        groups = []
        if not args.network_train_unet_only:
            add_lora(self.text_encoder, args.network_dim, args.network_alpha)
            groups.append({"params": parameters(self.text_encoder), "lr": args.text_encoder_lr})
        add_lora(self.unet, args.network_dim, args.network_alpha)
        groups.append({"params": parameters(self.unet), "lr": args.unet_lr})
        if args.gradient_checkpointing:
            self.unet.enable_gradient_checkpointing()
        optimizer = torch.optim.AdamW(groups, lr=args.learning_rate, fused=True)
        scheduler = get_scheduler(
            args.lr_scheduler,
            optimizer,
            num_warmup_steps=args.lr_warmup_steps,
            num_training_steps=self.steps * processes,  # accelerate has it take a step for each process
        )
        self.optimizer, self.scheduler = self.accelerator.prepare(optimizer, scheduler)
        self.trained = [one for group in groups for one in group["params"]]
        # a text encoder that is not trained says the same of a caption every time
        captions = {sample.caption for sample in self.batches.samples} if args.network_train_unet_only else set[str]()
        self.encoded = {caption: self._encode([caption])[0] for caption in sorted(captions)}
        self.step, self.losses, self.started = 0, list[float](), time.time()
        self.pause = os.environ.get("LORARECIPE_PAUSE")

    def run(self) -> None:
        """Train to the end, saving on the way.

        When the file that LORARECIPE_PAUSE names appears, end after the step, and leave the state in a folder named
        after it, the epochs that are done, and the steps of the one that is not.
        """
        args = self.args
        if args.resume:
            self._resume(args.resume)
        first_process, processes = self.accelerator.is_main_process, self.accelerator.num_processes
        bar = tqdm(total=self.steps, initial=self.step, desc="steps", smoothing=0, disable=not first_process)
        for epoch in range(self.step // self.per_epoch + 1, self.epochs + 1):
            self.accelerator.print(f"\nepoch {epoch}/{self.epochs}", flush=True)
            first = self.step % self.per_epoch
            steps = shared(self.batches.epoch(args.seed + epoch), processes)
            for index, batches in enumerate(steps[first:], first):
                if self.step == self.steps:
                    break
                if self._is_asked_to_pause():
                    self._save_state(Path(f"{self.pause}-{epoch - 1:06d}-{index:06d}-state"))
                    return
                loss = self._one(batches)
                self.losses[index : index + 1] = [loss]
                self.step += 1
                bar.update(1)
                average = sum(self.losses) / len(self.losses)
                bar.set_postfix(avr_loss=average)
                rates = {f"lr/group{at}": rate for at, rate in enumerate(self.scheduler.get_last_lr())}
                about = {"loss/current": loss, "loss/average": average, **rates}
                self.accelerator.log(about, step=self.step)
            if args.save_every_n_epochs and epoch % args.save_every_n_epochs == 0 and epoch < self.epochs:
                self._save(f"{args.output_name}-{epoch:06d}", epoch)
        bar.close()
        self.accelerator.end_training()
        self._save(args.output_name, self.epochs)

    def _is_asked_to_pause(self) -> bool:
        """Look for the file; the first process tells the others, so that all end after the same step."""
        asked = torch.tensor(int(self.pause is not None and Path(self.pause).exists()), device=self.accelerator.device)
        return bool(broadcast(asked))

    def _one(self, batches: list[list[Sample]]) -> float:
        """Take a step: each process has a batch of its own."""
        device, own = self.accelerator.device, self.accelerator.process_index
        least, most = self.args.min_timestep, self.args.max_timestep
        # drawn on the CPU, and for all processes: the same numbers on every device, and in every process
        targets = [torch.randn(len(batch), *batch[0].latent.shape) for batch in batches]
        times = [torch.randint(least, most, (len(batch),)) for batch in batches]
        batch, target, when = batches[own], targets[own].to(device), times[own].to(device)
        clean = torch.stack([sample.latent for sample in batch])
        captions = [sample.caption for sample in batch]
        states = torch.stack([self.encoded[one] for one in captions]) if self.encoded else self._encode(captions)
        noisy = self.noise.add_noise(clean, target, when)
        with self.accelerator.autocast():
            guess = self.unet(noisy, when, states).sample.float()
        apart = (guess - target).square()
        if self.args.alpha_mask:
            whole = torch.ones(1, *clean.shape[2:])
            mask = torch.stack([whole if sample.mask is None else sample.mask for sample in batch]).to(device)
            apart = apart * mask
            if self.args.mask_mode == "figure-by-area":
                apart = apart / mask.mean(dim=(1, 2, 3), keepdim=True).clamp(min=_LEAST_AREA)
            elif self.args.mask_mode == "prior":
                apart = apart + (guess - self._prior(noisy, when, captions)).square() * (1 - mask)
        loss = apart.mean(dim=(1, 2, 3))
        if gamma := self.args.min_snr_gamma:
            share = self.noise.alphas_cumprod.to(device)[when]
            snr = share / (1 - share)
            loss = loss * (snr.clamp(max=gamma) / snr)
        mean = loss.mean()
        self.accelerator.backward(mean)
        if len(batches) > 1:
            for part in (one for one in self.trained if one.grad is not None):
                part.grad = self.accelerator.reduce(part.grad, "mean")
        self.accelerator.clip_grad_norm_(self.trained, 1.0)  # sd-scripts' default
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(self.accelerator.reduce(mean.detach(), "mean"))

    @torch.no_grad()
    def _prior(self, noisy: Tensor, when: Tensor, captions: list[str]) -> Tensor:
        """Give what the model predicts without the LoRA."""
        with without_lora(self.unet, self.text_encoder):
            states = torch.stack([self.encoded[one] for one in captions]) if self.encoded else self._encode(captions)
            with self.accelerator.autocast():
                prediction: Tensor = self.unet(noisy, when, states).sample.float()
        return prediction

    def _encode(self, captions: list[str]) -> Tensor:
        with torch.set_grad_enabled(not self.args.network_train_unet_only), self.accelerator.autocast():
            return encode(self.tokenizer, self.text_encoder, captions, self.args.clip_skip)

    def _save(self, name: str, epoch: int) -> None:
        if not self.accelerator.is_main_process:
            return
        folder = self.args.output_dir
        weights = kohya_state(self.unet, self.text_encoder, self.args.network_alpha)
        draft = folder / f".{name}.part"
        save_file({key: part.cpu() for key, part in weights.items()}, draft, metadata=self._metadata(epoch))
        draft.replace(folder / f"{name}.safetensors")
        if self.args.save_state:
            self._save_state(folder / f"{name}-state")
            if (kept := self.args.save_last_n_epochs_state) and name != self.args.output_name:
                old = epoch - kept * self.args.save_every_n_epochs
                shutil.rmtree(folder / f"{self.args.output_name}-{old:06d}-state", ignore_errors=True)

    def _save_state(self, folder: Path) -> None:
        """Write down what is the same in every process."""
        if not self.accelerator.is_main_process:
            return
        folder.mkdir(exist_ok=True)
        state = {
            "step": self.step,
            "losses": self.losses,
            "lora": [part.detach() for part in self.trained],
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.accelerator.scaler and self.accelerator.scaler.state_dict(),
            "random": torch.get_rng_state(),
        }
        torch.save(state, folder / "part")
        os.replace(folder / "part", folder / STATE)  # noqa: PTH105

    def _resume(self, folder: Path) -> None:
        state = torch.load(folder / STATE, weights_only=True, map_location="cpu")
        self.step, self.losses = state["step"], state["losses"]
        with torch.no_grad():
            for part, saved in zip(self.trained, state["lora"], strict=True):
                part.copy_(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        if state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"])

    def _metadata(self, epoch: int) -> dict[str, str]:
        args, dataset = self.args, self.batches.dataset
        tags: dict[str, Counter[str]] = {}
        folders: dict[str, dict[str, int]] = {}
        for subset in dataset["subsets"]:
            name, paths = Path(subset["image_dir"]).name, images_of(subset)
            folders[name] = {"n_repeats": subset["num_repeats"], "img_count": len(paths)}
            captions = [path.with_suffix(subset["caption_extension"]).read_text("utf-8") for path in paths]
            tags[name] = Counter(tag.strip() for caption in captions for tag in caption.split(",") if tag.strip())
        about = {name: getattr(args, name) for name in _TOLD} | {
            "base_model_version": "sd_v1",
            "sd_model_name": args.pretrained_model_name_or_path.name,
            "optimizer": "torch.optim.adamw.AdamW",
            "max_train_steps": self.steps,
            "num_train_images": sum(self.batches.repeats),
            "num_batches_per_epoch": self.per_epoch,
            "num_epochs": self.epochs,
            "epoch": epoch,
            "steps": self.step,
            "batch_size_per_device": dataset["batch_size"],
            "resolution": "({}, {})".format(*dataset["resolution"]),
            "enable_bucket": dataset["enable_bucket"],
            "training_started_at": self.started,
            "training_finished_at": time.time(),
            "dataset_dirs": json.dumps(folders),
            "tag_frequency": json.dumps(tags),
        }
        return {f"ss_{key}": str(value) for key, value in about.items()}


def main() -> None:
    """Train what the command line says."""
    diffusers_logging.disable_progress_bar()
    Training(parse()).run()
