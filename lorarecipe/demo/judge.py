"""Read a picture's attributes back: a small classifier that has seen nothing but the renderer's own pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from lorarecipe.demo.world import BACKGROUNDS, DRESSES, HAIR, POSES, STYLES, VIEWS, ZOOMS, Figure, Look

#: its weights as shipped, made by ``lorarecipe.demo.pretrain``
WEIGHTS = Path(__file__).parent / "judge.safetensors"

#: what it is asked, and the answers it may give
QUESTIONS: dict[str, tuple[str, ...]] = {
    "hair": tuple(HAIR),
    "style": STYLES,
    "dress": ("no dress", *DRESSES),
    "pose": POSES,
    "view": VIEWS,
    "zoom": ZOOMS,
    "background": BACKGROUNDS,
    "look": ("flat", "3d"),
}
#: no answer: hair of a colour that has no tag
UNKNOWN = -100


class Judge(nn.Module):
    """Four convolutions and a head for each question; pictures are (batch, 3, 64, 64), from -1 to 1."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 24), (24, 48), (48, 96), (96, 96)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.SiLU()]
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.heads = nn.ModuleDict({name: nn.Linear(96 * 16, len(answers)) for name, answers in QUESTIONS.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Give each question's scores, (batch, answers)."""
        seen = self.body(pictures)
        return {name: head(seen) for name, head in self.heads.items()}

    def loss(self, pictures: Tensor, answers: Tensor) -> Tensor:
        """Mean cross-entropy of all questions; ``answers`` is (batch, questions)."""
        # blurred edges, shifted colours and noise are the painter's affair, not the figure's
        pictures = pictures + 0.1 * torch.randn(len(pictures), 3, 1, 1) + 0.08 * torch.randn_like(pictures)
        scores = self(pictures)
        parts = [nn.functional.cross_entropy(scores[name], answers[:, at]) for at, name in enumerate(QUESTIONS)]
        return torch.stack(parts).mean()

    @torch.no_grad()
    def read(self, pictures: Sequence[Image.Image]) -> list[dict[str, str]]:
        """Answer every question about every picture (64 x 64, RGB)."""
        pixels = torch.tensor(np.stack([np.asarray(picture) for picture in pictures]))
        scores = self(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1)
        best = {name: score.argmax(dim=1).tolist() for name, score in scores.items()}
        return [{name: QUESTIONS[name][best[name][at]] for name in QUESTIONS} for at in range(len(pictures))]


def answers_of(figure: Figure, look: Look) -> list[int]:
    """Give the true answers, by their numbers."""
    truth = {
        "hair": figure.hair,
        "style": figure.style,
        "dress": figure.dress or "no dress",
        "pose": figure.pose,
        "view": figure.view,
        "zoom": figure.zoom,
        "background": figure.background,
        "look": look,
    }
    return [QUESTIONS[name].index(one) if isinstance(one, str) else UNKNOWN for name, one in truth.items()]


def load_judge(weights: Path = WEIGHTS) -> Judge:
    """Load a trained judge."""
    judge = Judge()
    judge.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    return judge.eval()
