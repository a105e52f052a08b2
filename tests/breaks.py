"""Ways to break a clean set, by the words that the rules' own examples use: ``path``: ``what it is``."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from PIL import Image, ImageCms, ImageDraw, ImageOps
from safetensors.numpy import load_file, save_file

from lorarecipe.demo import Figure, draw
from lorarecipe.files import file_digest
from tests.conftest import tiny_checkpoint
from tests.renders import character

Change = Callable[[Path], object]
HAIR = {
    "red": ("red hair", "short hair", "small breasts"),
    "green": ("green hair", "long hair", "large breasts"),
    "blue": ("blue hair", "twintails", "small breasts"),
    "white": ("white hair", "ponytail", "large breasts"),
    "black": ("black hair", "long hair", "small breasts"),
    "yellow": ("blonde hair", "short hair", "large breasts"),
}
_TRAINING: dict[str, Any] = {
    "rank": 4,
    "alpha": 4,
    "unet_lr": 1e-3,
    "epochs": 1,
    "resolution": 128,
    "buckets": {"min": 64, "max": 256},
}


def clean_set(folder: Path) -> None:
    """Six base characters, a target, a recipe and a checkpoint, of which no rule has anything to say."""
    for name, traits in HAIR.items():
        character(folder / name, traits[0], traits[1], traits)
    character(folder / "aoi", "honey", "ponytail", None)
    tiny_checkpoint(folder / "checkpoint.safetensors")
    base = {"characters": [{"images": name, "traits": list(traits)} for name, traits in HAIR.items()]}
    recipe = {
        "format": 1,
        "name": "aoi",
        "checkpoint": {"family": "sd15", "path": "checkpoint.safetensors"},
        "base": base | {"training": _TRAINING | {"text_encoder_lr": 1e-4}},
        "target": {"images": "aoi", "training": _TRAINING},
    }
    (folder / "recipe.toml").write_text(tomli_w.dumps(recipe), encoding="utf-8")


def break_set(folder: Path, path: str, what: str) -> None:
    """Do to a set what an example of a rule says.

    Raises
    ------
    KeyError
        When nothing is known of ``what``.
    """
    place = folder / path
    if path == "recipe.toml":
        _edit(place, what)
    elif path == "base":
        _cast(folder, what)
    elif path.endswith(".txt") and what != "no file":
        place.write_text(what + "\n", encoding="utf-8")
    elif place.suffix.lower() in {".png", ".jpg"}:
        IMAGES[what.removeprefix("a ")](place)
        if not list(place.parent.glob(f"{place.stem}.txt")):
            shutil.copy(place.with_name("full_front.txt"), place.with_suffix(".txt"))
    else:
        _FILES[what](place)


def _edit(recipe: Path, assignment: str) -> None:
    """Set one key; ``base.characters[0].repeats = 2`` reaches into an array."""
    told = tomllib.loads(recipe.read_text("utf-8"))
    key, value = assignment.split(" = ", 1)
    *tables, last = [int(part) if part.isdigit() else part for part in re.split(r"[.\[\]]+", key)]
    place: Any = told
    for table in tables:
        place = place.setdefault(table, {}) if isinstance(table, str) else place[table]
    place[last] = tomllib.loads(f"x = {value}")["x"]
    if "weights" in told["base"]:
        told["base"] = {"weights": told["base"]["weights"]}
    recipe.write_text(tomli_w.dumps(told), encoding="utf-8")


def _cast(folder: Path, what: str) -> None:
    """Give the base other characters."""
    names = what.removeprefix("hair in ").split(", ") if what.startswith("hair in ") else list(HAIR)
    traits = {name: list(HAIR[name]) for name in names}
    styles = [*"long hair,short hair,twintails,ponytail,very long hair,bob cut".split(",")]
    for index, told in enumerate(traits.values()):
        if what == "long hair for all":
            told[1] = "long hair"
        if what == "short hair for every other one":
            told[1] = styles[index % 2]
        if what == "a style for each colour":
            told[1] = styles[index]
    for name, told in traits.items():
        shutil.rmtree(folder / name)
        character(folder / name, told[0], told[1], tuple(told))
    recipe = folder / "recipe.toml"
    text = tomllib.loads(recipe.read_text("utf-8"))
    text["base"]["characters"] = [{"images": name, "traits": told} for name, told in traits.items()]
    recipe.write_text(tomli_w.dumps(text), encoding="utf-8")


def _saved(path: Path, change: Callable[[Image.Image], Image.Image], **how: Any) -> None:
    with Image.open(_there(path)) as image:
        image.load()
    changed = change(image)
    _there(path).unlink() if path != _there(path) and path.stem == _there(path).stem else None
    changed.save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG", **how)


def _there(path: Path) -> Path:
    """The image itself, the one that it renames, or the first shot."""
    same = [path, path.with_suffix(".png"), path.with_name("full_front.png"), *sorted(path.parent.glob("*.png"))]
    return next(one for one in same if one.exists())


def _sized(size: str) -> Change:
    width, height = map(int, size.split("x"))

    def change(path: Path) -> None:
        _saved(path, lambda image: ImageOps.pad(image, (width, height), color="white"))

    return change


def _write(content: bytes) -> Change:
    return lambda path: path.write_bytes(content)


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _bomb(path: Path) -> None:
    Image.new("1", (9000, 9000)).save(path)


def _animated(path: Path) -> None:
    with Image.open(path) as image:
        image.load()
    image.save(path, save_all=True, append_images=[ImageOps.mirror(image)])


def _turned(path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    _saved(path, lambda image: image.rotate(90, expand=True), exif=exif)


def _clear(image: Image.Image) -> Image.Image:
    """Make what is white transparent, with black beneath."""
    pixels = np.array(image.convert("RGBA"))
    pixels[(pixels[..., :3] >= 250).all(axis=-1)] = 0
    return Image.fromarray(pixels)


def _on(colour: tuple[int, int, int]) -> Change:
    def paint(image: Image.Image) -> Image.Image:
        pixels = np.array(image.convert("RGB"))
        pixels[(pixels >= 250).all(axis=-1)] = colour
        return Image.fromarray(pixels)

    return lambda path: _saved(path, paint)


def _dimmed(image: Image.Image) -> Image.Image:
    """Half the light is 0.73 of the level in sRGB."""
    pixels = np.array(image.convert("RGB"))
    figure = ~(pixels >= 250).all(axis=-1)
    pixels[figure] = (pixels[figure] * 0.73).astype(np.uint8)
    return Image.fromarray(pixels)


def _floor(image: Image.Image) -> Image.Image:
    """A grey floor behind the lower third."""
    pixels = np.array(image.convert("RGB"))
    below = pixels[image.height * 2 // 3 :]
    below[(below >= 250).all(axis=-1)] = 190
    return Image.fromarray(pixels)


def _moved_up(image: Image.Image) -> Image.Image:
    moved = Image.new("RGB", image.size, "white")
    _, top, _, bottom = ImageOps.invert(image.convert("RGB")).getbbox() or (0, 0, 0, 0)
    moved.paste(image, (0, -top - (bottom - top) // 10))
    return moved


def _upper_half(image: Image.Image) -> Image.Image:
    return image.crop((0, 0, image.width, image.height * 6 // 10)).resize(image.size)


def _whole(image: Image.Image) -> Image.Image:
    """The figure ends inside the frame."""
    whole = Image.new("RGB", image.size, "white")
    small = image.resize((image.width * 8 // 10, image.height * 8 // 10))
    whole.paste(small, (image.width // 10, image.height // 10))
    return whole


def _spread(image: Image.Image) -> Image.Image:
    wide = image.copy()
    top = image.height // 2
    ImageDraw.Draw(wide).rectangle((2, top, image.width - 3, top + image.height // 16), fill=(250, 218, 195))
    return wide


def _vanished(image: Image.Image) -> Image.Image:
    """White clothes on white: two bands of the figure are gone."""
    pixels = np.array(image.convert("RGB"))
    rows = np.flatnonzero((pixels < 250).any(axis=(1, 2)))
    for first, last in ((0.45, 0.55), (0.7, 0.8)):
        pixels[rows[0] + round(first * rows.size) : rows[0] + round(last * rows.size)] = 255
    return Image.fromarray(pixels)


def _two(image: Image.Image) -> Image.Image:
    both = Image.new("RGB", image.size, "white")
    small = image.resize((image.width * 2 // 5, image.height * 2 // 5))
    for left in (image.width // 20, image.width * 11 // 20):
        both.paste(small, (left, image.height // 4))
    return both


def _another(path: Path) -> None:
    with Image.open(_there(path)) as image:
        size = image.size
    drawn = draw(Figure((222, 178, 98), "long hair", "blue dress"), "3d", max(size))
    ImageOps.pad(drawn, size, color="white").save(path)


def _linked(path: Path) -> None:
    place = path.parent.parent / "elsewhere.png"
    _another(path)
    path.rename(place)
    path.symlink_to(place)


def _profiled(path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    _saved(path, lambda image: image, icc_profile=profile.tobytes())


def _same(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


#: what is done to an image, which is there or is made from another of its folder
IMAGES: dict[str, Change] = {
    "render": lambda path: _saved(path, _same),
    "web page": _write(b"<!doctype html>"),
    "its first half, cut off": _cut_off,
    "9000x9000 pixels": _bomb,
    "two frames": _animated,
    "turned by EXIF": _turned,
    "clear background over black": lambda path: _saved(path, _clear),
    "on grey": _on((200, 200, 200)),
    "on a tint": _on((255, 250, 240)),
    "on a grey floor": lambda path: _saved(path, _floor),
    "in half the light": lambda path: _saved(path, _dimmed),
    "as a whole": lambda path: _saved(path, _whole),
    "moved up until its head is cut": lambda path: _saved(path, _moved_up),
    "the upper half only": lambda path: _saved(path, _upper_half),
    "with spread arms": lambda path: _saved(path, _spread),
    "in clothes as white as the background": lambda path: _saved(path, _vanished),
    "two figures": lambda path: _saved(path, _two),
    "no figure": lambda path: _saved(path, lambda image: Image.new("RGB", image.size, "white")),
    "copy of full_front.png in half its size": lambda path: _saved(
        path, lambda image: image.resize((image.width // 2, image.height // 2))
    ),
    "another shot": _another,
    "link to a file elsewhere": _linked,
    "the other side": _another,
    "with the profile of another colour space": _profiled,
    "red/full_front.png once more": lambda path: shutil.copy(path.parent.parent / "red/full_front.png", path),
    **{f"{size} pixels": _sized(size) for size in ("30x40", "60x100", "96x160", "64x160")},
    **dict.fromkeys(
        (
            "saved anew",
            "1024x1024 pixels",
            "one frame",
            "turned in its pixels",
            "flattened on white",
            "on white",
            "in the middle",
            "in clothes that stand out",
            "from head to feet",
            "with its arms at its sides",
            "one figure",
            "converted to sRGB",
        ),
        lambda path: _saved(path, _same),
    ),
}


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _each(change: Change) -> Change:
    return lambda folder: [change(path) for path in folder.glob("*.png")]


def _base(module: str, told: dict[str, str] | None = None) -> Change:
    shapes = {f"{module}.lora_down.weight": (2, 8), f"{module}.lora_up.weight": (8, 2), f"{module}.alpha": ()}
    weights = {name: np.zeros(shape, "float32") for name, shape in shapes.items()}
    return lambda path: save_file(weights, path, metadata=told)


def _trained_on(digest: str) -> Change:
    """A base of a checkpoint; of the one beside it, where no other is named."""

    def change(path: Path) -> None:
        trained_on = digest or file_digest(path.with_name("checkpoint.safetensors"))
        _base(
            "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
            {"lorarecipe.checkpoint": trained_on},
        )(path)

    return change


def _sdxl(path: Path) -> None:
    tiny_checkpoint(path, "conditioner.embedders.0.transformer.text_model.encoder.layers.0.")
    _edit(path.with_name("recipe.toml"), 'checkpoint.family = "sdxl"')


def _velocity(path: Path) -> None:
    """An entry beside the weights, as NoobAI's checkpoints have it."""
    save_file(load_file(path) | {"v_pred": np.zeros(0, "float32")}, path)


def _renamed(path: Path) -> None:
    """The target's folder gets another name."""
    path.with_name("aoi").rename(path)
    _edit(path.with_name("recipe.toml"), f'target.images = "{path.name}"')


_FILES: dict[str, Change] = {
    "no file": Path.unlink,
    "no image": _empty,
    "four renders": lambda folder: None,
    "a folder": Path.mkdir,
    "in half the light": _each(IMAGES["in half the light"]),
    "in the light of the base": _each(IMAGES["render"]),
    "weights of sd15": tiny_checkpoint,
    "weights of sdxl": _sdxl,
    "weights that predict velocity": _velocity,
    "the target's images": _renamed,
    "made for sd15": _base("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"),
    "trained on this one": _trained_on(""),
    "trained on another checkpoint": _trained_on("a" * 64),
    "made for sdxl": _base("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"),
}
