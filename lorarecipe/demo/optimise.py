"""Train a model to a number of steps, going on from its saved state."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor


def optimise(
    name: str,
    model: torch.nn.Module,
    loss: Callable[[int], Tensor],
    state: Path,
    steps: int,
    rate: float,
    dice: random.Random | None = None,
) -> dict[str, Tensor]:
    """Train to ``steps``, going on from the saved state, and give the weights' moving average; the loss throws dice."""
    dice = dice or random.Random()
    file = state / f"{name}.pt"
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.01)
    done, average = 0, {key: value.detach().clone() for key, value in model.state_dict().items()}
    if file.exists():
        saved = torch.load(file)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        done, average = saved["step"], saved["average"]
        torch.set_rng_state(saved["random"])
        dice.setstate(saved["dice"])
    model.train()
    started, seen = time.monotonic(), 0.0
    for step in range(done + 1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, step / 100, (steps - step + 1) / (0.4 * steps))
        value = loss(step)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        _follow(average, model.state_dict(), min(0.999, step / (step + 10)))
        seen = 0.98 * seen + 0.02 * value.item() if seen else value.item()
        if step % 100 == 0:
            print(f"{name} {step}/{steps} loss {seen:.4f} {time.monotonic() - started:.0f} s", flush=True)
        if step % 500 == 0 or step == steps:
            whole = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            dicing = {"random": torch.get_rng_state(), "dice": dice.getstate()}
            torch.save(whole | dicing | {"average": average}, file.with_suffix(".part"))
            file.with_suffix(".part").replace(file)
    return average


def _follow(average: dict[str, Tensor], weights: dict[str, Tensor], keep: float) -> None:
    for key, value in weights.items():
        average[key].lerp_(value, 1 - keep) if value.is_floating_point() else average[key].copy_(value)
