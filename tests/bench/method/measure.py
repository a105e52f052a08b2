"""Draw with a LoRA on the original checkpoint, and read the pictures: by the judge, and by the leak test's measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import cycle, product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from safetensors.torch import load_file, save_file

from lorarecipe.colour import lab
from lorarecipe.dataset.look import look_at
from lorarecipe.demo import BACKGROUNDS, DRESSES, HAIR, NANO, POSES, STYLES, VIEWS, ZOOMS, draw
from lorarecipe.demo.judge import load_judge
from lorarecipe.files import digest_of
from lorarecipe.measures import Drawn, Yardstick
from lorarecipe.measures.choice import choose
from lorarecipe.measures.pixels import change, outline, seen, softness
from lorarecipe.measures.renders import Render
from lorarecipe.trainer.embedded.drawing import Sampler
from tests.bench.method.cast import Picked, Target

#: what is measured, and how a table calls it
MEASURES = {
    "likeness": "likeness from `1girl`",
    "hair": "hair, Lab distance",
    "style": "hairstyle in scenes",
    "background": "background obeyed",
    "pose": "pose obeyed",
    "view": "view obeyed",
    "look": "softness (leak test)",
    "drawn": "drawn as 3D",
    "white": "white with `1girl`, more than without",
    "change": "change to unrelated",
    "length": "other hairstyle obeyed",
}
#: crown of the head, in pixels of 64 x 64: where every hairstyle, and both views, have hair
_CROWN = {"full body": (28, 6, 36, 9), "upper body": (28, 8, 37, 13)}
_SIDE, _STEPS, _SCALE, _BATCH = 64, 15, 2.0, 32
_OPEN = [background for background in BACKGROUNDS if background != "white background"]
_SCENES = [
    ", ".join(["1girl", background, pose, *([view] if view != "front" else []), zoom])
    for (background, pose, zoom), view in zip(product(_OPEN, POSES, ZOOMS), cycle((*VIEWS, VIEWS[0])))
]
#: other characters in every place and pose, drawn without a LoRA
_OTHERS = [
    ", ".join(["1girl", hair, style, dress, place, pose, zoom])
    for (place, pose, zoom), hair, style, dress in zip(
        product(_OPEN, POSES, ZOOMS), cycle(HAIR), cycle(STYLES), cycle(DRESSES)
    )
]
_UNRELATED = [
    "1girl, green hair, short hair, red dress, beach, full body",
    "1girl, black hair, ponytail, yellow dress, pink background, upper body",
    "1girl, blue hair, long hair, green dress, forest, arms up, full body",
    "1girl, white hair, twintails, blue dress, night sky, upper body",
]


@dataclass(frozen=True)
class Gallery:
    """Pictures of one LoRA, by what they were asked for."""

    ones: list[Image.Image]
    scenes: list[Image.Image]
    others: list[Image.Image]
    unrelated: list[Image.Image]


@dataclass(frozen=True)
class Candidate:
    """A picture that may be picked, and the one of the same prompt and seed without the LoRA."""

    prompt: str
    weight: float
    picture: Image.Image
    bare: Image.Image

    @property
    def measurable(self) -> Drawn:
        """Give it as lorarecipe's measures take it."""
        return Drawn(Path(), seen(self.picture), self.prompt, self.weight, unrelated=False, bare=seen(self.bare))


class Studio:
    """Draws the same prompts from the same seeds for every arm of a target; ``share`` of the prompts, for a quick look."""

    def __init__(self, target: Target, share: float = 1.0) -> None:
        self.target, self.judge = target, load_judge()
        self.scenes = _SCENES[:: max(1, round(1 / share))]
        self.ones = ["1girl"] * len(self.scenes)
        self.styles = [style for style in STYLES if style != target.figure.style] * 3
        self.others = [f"1girl, {style}, {place}" for style, place in zip(self.styles, cycle(_OPEN))]
        self.bare = self.gallery(None)
        renders = [draw(replace(target.figure, zoom=zoom), "3d", _SIDE) for zoom in ZOOMS]
        self.soft = float(np.mean([softness(seen(one)) for one in renders]))

    def gallery(self, lora: Path | None, weight: float = 1.0) -> Gallery:
        """Draw everything."""
        sampler = Sampler(NANO, lora, weight)
        return Gallery(*(_drawn(sampler, one) for one in (self.ones, self.scenes, self.others, _UNRELATED * 2)))

    def figures(self, lora: Path, weight: float, without: str | None = None) -> tuple[dict[str, float], Gallery]:
        """Measure a LoRA at a weight: shares from 0 to 1, distances in Lab; by the names of ``MEASURES``."""
        drawn = self.gallery(_without(lora, without) if without else lora, weight)
        style, own = self.target.figure.style, lab(self.target.colour)
        ones, scenes, others = (self.judge.read(part) for part in (drawn.ones, drawn.scenes, drawn.others))
        bare = self.judge.read(self.bare.ones)
        apart = [_apart(one, answers["zoom"], own) for one, answers in zip(drawn.ones, ones)]
        in_scenes = [_apart(one, answers["zoom"], own) for one, answers in zip(drawn.scenes, scenes)]
        all_read = [*ones, *scenes]
        measures = {
            "likeness": np.mean([self._is_it(away, one) for away, one in zip(apart, ones)]),
            "hair": np.median([away[0] for away in apart + in_scenes]),
            "style": np.mean([one["style"] == style for one in scenes]),
            "background": _obeyed(scenes, self.scenes, "background"),
            "pose": _obeyed(scenes, self.scenes, "pose"),
            "view": np.mean(
                [(one["view"] != "front") == (VIEWS[1] in asked) for one, asked in zip(scenes, self.scenes)]
            ),
            "look": self._softer([*drawn.ones, *drawn.scenes]),
            "drawn": np.mean([one["look"] == "3d" for one in all_read]),
            "white": _white(ones) - _white(bare),
            "change": np.mean([change(seen(a), seen(b)) for a, b in zip(drawn.unrelated, self.bare.unrelated)]),
            "length": np.mean([one["style"] == asked for one, asked in zip(others, self.styles)]),
        }
        return {name: round(float(value), 4) for name, value in measures.items()}, drawn

    def picks(self, lora: Path, folder: Path, asked: Picked) -> list[tuple[Path, str]]:
        """Draw, and keep what the judge or the measures pick; gives the pictures with their captions."""
        drawn = self.candidates(lora, asked)
        kept = self._judged(drawn, asked.keep) if asked.judged else self._measured(drawn, asked.keep)
        pictures = [(drawn[number].picture, drawn[number].prompt) for number in kept]
        if asked.also == "others":
            pictures += zip(_drawn(Sampler(NANO), _OTHERS, asked.seed), _OTHERS)
        folder = folder / f"{self.target.number}-{digest_of(asdict(asked))[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        for number, (picture, _) in enumerate(pictures):
            picture.save(folder / f"{number:03}.png")
        return [(folder / f"{number:03}.png", prompt) for number, (_, prompt) in enumerate(pictures)]

    def candidates(self, lora: Path, asked: Picked) -> list[Candidate]:
        """Draw every scene at every weight, each from a seed of its own, and without the LoRA."""
        prompts = self.scenes * asked.images
        bare = _drawn(Sampler(NANO), prompts, asked.seed)
        return [
            Candidate(prompt, weight, picture, other)
            for weight in asked.weights
            for prompt, picture, other in zip(prompts, _drawn(Sampler(NANO, lora, weight), prompts, asked.seed), bare)
        ]

    @cached_property
    def yardstick(self) -> Yardstick:
        """The target's renders, as lorarecipe's measures see them."""
        renders = []
        for view, zoom in product(VIEWS, ZOOMS):
            picture = draw(replace(self.target.figure, view=view, zoom=zoom), "3d", 256)
            picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
            colours = seen(picture)
            renders.append(Render((zoom,), colours, outline(colours), look_at(picture), Path()))
        return Yardstick(renders, {})

    def _measured(self, drawn: Sequence[Candidate], keep: int) -> list[int]:
        picks = choose({str(number): one.measurable for number, one in enumerate(drawn)}, self.yardstick, keep)
        return [number for number, one in enumerate(picks) for _ in range(one.times)]

    def _judged(self, drawn: Sequence[Candidate], keep: int) -> list[int]:
        """Pick as an author would: flat, of its hairstyle, near its colour."""
        own, read = lab(self.target.colour), self.judge.read([one.picture for one in drawn])

        def fault(number: int) -> tuple[bool, float]:
            answers = read[number]
            wrong = answers["look"] == "3d" or answers["style"] != self.target.figure.style
            return wrong, _apart(drawn[number].picture, answers["zoom"], own)[0]

        return sorted(sorted(range(len(drawn)), key=fault)[:keep])

    def _softer(self, pictures: Sequence[Image.Image]) -> float:
        """Say how far a LoRA takes pictures towards the renders' softness, as the leak test does: 1 is all the way."""
        shares = []
        for one, bare in zip(pictures, [*self.bare.ones, *self.bare.scenes]):
            before = softness(seen(bare))
            if self.soft - before > 0.05:
                shares.append((softness(seen(one)) - before) / (self.soft - before))
        return float(np.median(shares))

    def _is_it(self, away: tuple[float, float], answers: dict[str, str]) -> bool:
        """Say whether a picture shows the target: its hairstyle, and hair nearer to its colour than to any other tag's."""
        return answers["style"] == self.target.figure.style and away[0] < away[1]


def _drawn(sampler: Sampler, prompts: Sequence[str], seed: int = 0) -> list[Image.Image]:
    pictures = []
    for start in range(0, len(prompts), _BATCH):
        asked = list(prompts[start : start + _BATCH])
        seeds = list(range(seed + start, seed + start + len(asked)))
        pictures += sampler.draw(asked, seeds, (_SIDE, _SIDE), _STEPS, _SCALE)
    return pictures


def _apart(picture: Image.Image, zoom: str, own: np.ndarray) -> tuple[float, float]:
    """How far the hair is from a colour, and from the nearest tag's that is another; dE76 of its median."""
    hair = crown(picture, zoom)
    tags = lab(list(HAIR.values()))
    others = tags[np.linalg.norm(tags - own, axis=1) > 1]
    return float(np.linalg.norm(hair - own)), float(np.linalg.norm(others - hair, axis=1).min())


def crown(picture: Image.Image, zoom: str) -> npt.NDArray[np.float32]:
    """Median Lab of the hair on top."""
    median: npt.NDArray[np.float32] = np.median(lab(np.asarray(picture.crop(_CROWN[zoom]))), axis=(0, 1))
    return median


def _obeyed(read: Sequence[dict[str, str]], prompts: Sequence[str], question: str) -> float:
    return float(np.mean([one[question] in asked.split(", ") for one, asked in zip(read, prompts)]))


def _white(read: Sequence[dict[str, str]]) -> float:
    return float(np.mean([one["background"] == "white background" for one in read]))


def _without(lora: Path, block: str) -> Path:
    """Write a LoRA without the modules of a part of the U-Net."""
    kept = {name: part for name, part in load_file(lora).items() if not name.startswith(f"lora_unet_{block}")}
    path = lora.with_name(f"{lora.stem}-without-{block}.safetensors")
    save_file(kept, path)
    return path
