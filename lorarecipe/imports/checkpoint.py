"""The checkpoint of a source into ``[checkpoint]``: its family, its file, and what is left to decide of them."""

from __future__ import annotations

import re
from pathlib import Path

from lorarecipe.families import FAMILIES, recognised
from lorarecipe.imports.draft import Draft
from lorarecipe.imports.paths import here, is_hub_name, is_placeholder, written
from lorarecipe.imports.source import Source
from lorarecipe.weights import SafetensorsError, open_checkpoint

#: what names of checkpoints hold, by family
_NAMES = {
    "sdxl": r"xl|pony|illustrious|noob|animagine",
    "sd2": r"stable-diffusion-2|\bsd?v?2[-_.]|v2-1|768-v",
    "sd15": r"v1-?[45]|1[._]5|sd-?v?1|anime?-full|nai\b|nai-|anything|animefull",
}
#: what names of checkpoints, modules and architectures hold that are of no family here
_FOREIGN = re.compile(
    r"flux|flex|chroma|sd3|sd_3|stable-?diffusion-?3|lumina|hunyuan|hidream|anima(?!g|t|l)|z_?image|qwen|wan_?2|krea|"
    r"kolors|pixart|sana|cascade|wuerstchen|ltx|ernie|auraflow",
    re.IGNORECASE,
)


def foreign(name: object) -> str:
    """Give the word by which a name is one of a model that is not trained here; an empty text where it is none."""
    found = _FOREIGN.search(name) if isinstance(name, str) else None
    return found[0] if found else ""


def write_checkpoint(draft: Draft, source: Source, folder: Path) -> None:
    """Carry over the checkpoint, for a recipe in ``folder``."""
    setting, vae = draft.take("pretrained_model_name_or_path"), draft.take("vae")
    text = str(setting.means) if setting else ""
    path = here(source, text) if text else None
    _family(draft, text, path)
    if problem := _problem(text, path):
        if setting and text:
            draft.leave(setting, problem)
        draft.decide("checkpoint.path", problem, "checkpoint.safetensors")
    else:
        draft.put("checkpoint.path", written(source, text, folder), setting)
        if not path:
            draft.decide("checkpoint.path", f"found no file {text} here, expected the checkpoint")
    if draft.found.sha256:
        draft.put("checkpoint.sha256", draft.found.sha256)
    if vae and (is_placeholder(str(vae.means)) or (is_hub_name(str(vae.means)) and not here(source, str(vae.means)))):
        draft.leave(vae, "it names no file; the checkpoint's own VAE is used")
    elif vae:
        draft.put("checkpoint.vae", written(source, str(vae.means), folder), vae)
    velocity = draft.take("v_parameterization")
    if velocity:
        draft.put("checkpoint.v_prediction", velocity.means, velocity)
    _clip_skip(draft)


def _problem(text: str, path: Path | None) -> str:
    """Say why a checkpoint's path is none that a recipe may have; an empty text where it may."""
    if not text:
        return "the source names no checkpoint; expected a .safetensors file"
    if path and path.is_dir():
        return f"{text} is a folder (Diffusers); expected one .safetensors file"
    if (path and path.suffix.lower() in {".ckpt", ".pt", ".bin"}) or text.lower().endswith((".ckpt", ".pt", ".bin")):
        return f"{text} is a pickle: turn it into .safetensors first (lorarecipe convert)"
    if re.match(r"\w+://", text):
        return f"{text} is an address: download the checkpoint, and name its file"
    if not path and is_hub_name(text):
        return f"{text} is the name of a model on a hub: write hf://{text}/FILE.safetensors, with the file's own name"
    if not path and is_placeholder(text):
        return f"{text!r} stands in place of a path; expected a .safetensors file"
    return ""


def _family(draft: Draft, text: str, path: Path | None) -> None:
    """Tell the family by the file, by what the source says, or by the checkpoint's name; otherwise it is left open."""
    family = _of_the_file(path) or draft.found.family
    draft.same(draft.take("v2"))
    if family:
        draft.put("checkpoint.family", family)
        return
    by_name = [name for name, words in _NAMES.items() if re.search(words, text, re.IGNORECASE)]
    if text and by_name:
        draft.put("checkpoint.family", by_name[0])
        draft.comments["checkpoint.family"] = "by the name of the checkpoint"
    else:
        names = ", ".join(FAMILIES)
        draft.decide(
            "checkpoint.family", f"the source does not tell the checkpoint's family; expected one of {names}", "sd15"
        )


def _of_the_file(path: Path | None) -> str | None:
    if not path or path.suffix.lower() != ".safetensors":
        return None
    try:
        opened = open_checkpoint(path)
    except (SafetensorsError, OSError):
        return None
    return next(iter(recognised(opened)), None)


def _clip_skip(draft: Draft) -> None:
    setting = draft.take("clip_skip")
    if not setting:
        return
    family = draft.values.get("checkpoint.family")
    if setting.means == 1:
        draft.same(setting)
    elif isinstance(family, str) and not FAMILIES[family].READS_CLIP_SKIP:
        draft.leave(setting, f"it does nothing on {family}")
    else:
        draft.put("checkpoint.clip_skip", setting.means, setting)
