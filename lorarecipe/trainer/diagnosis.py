"""Say why a trainer failed: its first traceback, and a hint where the cause is known. Pure."""

from __future__ import annotations

import re
from pathlib import Path

from lorarecipe.plan import TrainStage

#: a process that nobody can refuse to end: by itself, or as its launcher reports it
_KILLED = r"ended by signal 9\b|died with <Signals\.SIGKILL|exitcode: -9|exit status 137"
#: how CUDA, ROCm and Apple's GPUs say that their memory is full
_GPU_FULL = (
    r"(CUDA|HIP|MPS backend) out of memory|OutOfMemoryError"
    r"|CU(BLAS|DNN)_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation|hipErrorOutOfMemory"
)
_MACHINE_FULL = r"MemoryError|Cannot allocate memory|DefaultCPUAllocator"
#: what a log says -> what to do about it
_HINTS = {
    r"No space left on device": "the disk is full: make room, then run the same command again",
    r"No data found": "the trainer found no image: run lorarecipe check",
    r"fp16 mixed precision requires a (GPU|device)": 'set precision = "no" where there is no GPU',
    r"expected str, bytes or os.PathLike object, not NoneType|Can't load tokenizer": (
        "a tokenizer is missing: run lorarecipe setup"
    ),
    r"SafetensorError|HeaderTooSmall|MetadataIncompleteBuffer": (
        "a model file is torn: compare its size and digest with its source"
    ),
    r"size mismatch for|Missing key\(s\) in state_dict|KeyError: '(model\.|conditioner|cond_stage_model)": (
        "the checkpoint is of another family than checkpoint.family says"
    ),
}


def explain(log: str, code: int, path: Path, advice: str = "") -> str:
    """Give the message of a failed process.

    Parameters
    ----------
    log
        Everything it printed.
    code
        Its exit code; negative for a signal.
    path
        Where the log is kept.
    advice
        Which settings have the stage take less memory; empty where there is none.
    """
    how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    parts = [f"the trainer {how}"]
    if trace := first_traceback(log):
        parts.append(trace)
    if hint := _hint(f"{log}\n{how}", advice):
        parts.append(f"Hint: {hint}")
    return "\n".join([*parts, f"Full log: {path}"])


def _hint(said: str, advice: str) -> str:
    """Say what to do; of memory first, because what follows from its lack is said in many ways."""
    otherwise = f", or {advice}" if advice else ""
    if re.search(_GPU_FULL, said):
        return f"the GPU's memory is full: close other programs that use it{otherwise}"
    if re.search(_MACHINE_FULL, said):
        return f"the machine's memory is full: close other programs{otherwise}"
    if re.search(_KILLED, said):
        full = "the operating system ended it, as it does when the machine's memory is full"
        return f"{full}: close other programs{otherwise}"
    return next((hint for pattern, hint in _HINTS.items() if re.search(pattern, said)), "")


def first_traceback(log: str) -> str | None:
    """Give the first Python traceback of a log: later ones are the launcher's."""
    if shared := re.search(r"^(\[rank\d+\]: )Traceback", log, re.MULTILINE):  # of several processes, one alone
        log = "".join(line.removeprefix(shared[1]) for line in log.splitlines(keepends=True) if shared[1] in line)
    # a progress bar may stand before it on the same line
    trace = re.search(r"Traceback \(most recent call last\):\n(?:[ \t]+.*\n|\n)*\S.*", log, re.MULTILINE)
    return trace[0] if trace else None


def not_a_number(stage: TrainStage, step: int, folder: Path) -> str:
    """Give the message of a training whose loss is no longer a number: likely causes, and which setting to change."""
    training, model = stage.training, stage.model
    rates = f"unet_lr = {training.unet_lr:g}"
    if training.text_encoder_lr is not None:
        rates += f", text_encoder_lr = {training.text_encoder_lr:g}"
    causes = [f"the learning rate is too high ({rates}): try a tenth of it"]
    if training.precision == "fp16":
        causes.append('half precision overflows (precision = "fp16"): try precision = "bf16", or "no"')
    if model.traits.VAE_OVERFLOWS and not training.extra.get("no_half_vae"):
        causes.append(f"the VAE of {model.family} overflows in half precision: set extra = {{ no_half_vae = true }}")
    if not model.v_prediction:
        causes.append("the checkpoint predicts velocity: set v_prediction = true in [checkpoint] if it does")
    kept = sorted(path.name for path in folder.glob("lora-*.safetensors"))
    good = (
        f"The LoRAs of earlier epochs are in {folder} ({', '.join(kept)})" if kept else "No epoch was finished before"
    )
    listed = "\n".join(f"- {cause}" for cause in causes)
    return (
        f"the loss is not a number (nan) since step {step - 2 if step > 2 else step} of {stage.steps.total}: "
        f"every further step would be wasted, so the training was stopped\nLikely causes:\n{listed}\n{good}"
    )
