"""The program of a model card: draws with diffusers what the first sample shows."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lorarecipe.publish.result import Result

#: as diffusers reads them
_STEPS, _SCALE = 25, 7.0


def snippet_of(result: Result, repository: str) -> str:
    """Write the program; ``repository`` is where the LoRA is published."""
    return "\n".join(_lines(result, repository))


def _lines(result: Result, repository: str) -> Iterator[str]:
    pipeline = result.family.PIPELINE
    velocity = result.setting("checkpoint", "v_prediction")
    yield "import torch"
    yield f"from diffusers import {'EulerDiscreteScheduler, ' if velocity else ''}{pipeline}"
    yield ""
    yield 'device, dtype = ("cuda", torch.float16) if torch.cuda.is_available() else ("cpu", torch.float32)'
    call, note = _load(result)
    yield f"pipeline = {pipeline}.{call}{note}"
    yield "pipeline.to(device)"
    if velocity:
        zero = ", rescale_betas_zero_snr=True" if _extra(result).get("zero_terminal_snr") else ""
        change = f'pipeline.scheduler.config, prediction_type="v_prediction"{zero}'
        yield f"pipeline.scheduler = EulerDiscreteScheduler.from_config({change})"
    file = _text(result.use.file.name)
    yield f'pipeline.load_lora_weights({_text(repository)}, weight_name={file}, adapter_name="character")'
    yield f'pipeline.set_adapters("character", {result.use.weight:g})'
    yield f"picture = pipeline({', '.join(_asked(result))}).images[0]"
    yield f"picture.save({_text(f'{result.name}.png')})"


def _load(result: Result) -> tuple[str, str]:
    """Give the call that loads the checkpoint, and a note where the reader has to fill it in."""
    address = result.checkpoint_address
    if address and result.checkpoint_is_file:
        place = f"https://huggingface.co/{address.repo}/blob/{address.revision}/{address.path}"
        return f"from_single_file({_text(place)}, torch_dtype=dtype)", ""
    if address and not address.path:
        return f"from_pretrained({_text(address.repo)}, revision={_text(address.revision)}, torch_dtype=dtype)", ""
    load = "from_single_file" if result.checkpoint_is_file else "from_pretrained"
    return f"{load}({_text(result.checkpoint)}, torch_dtype=dtype)", "  # the path of the checkpoint"


def _asked(result: Result) -> Iterator[str]:
    first = next(iter(result.pictures), None)
    yield _text(first.prompt if first else "1girl")
    if first and first.negative:
        yield f"negative_prompt={_text(first.negative)}"
    yield f"num_inference_steps={result.setting('samples', 'steps') or _STEPS}"
    yield f"guidance_scale={result.setting('samples', 'scale') or _SCALE}"
    clip_skip = result.setting("checkpoint", "clip_skip")
    if isinstance(clip_skip, int) and clip_skip > 1:
        yield f"clip_skip={clip_skip - 1}"  # diffusers counts the layers that are left out


def _extra(result: Result) -> dict[str, object]:
    extra = result.trained.settings.get("extra")
    return {**extra} if isinstance(extra, dict) else {}


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
