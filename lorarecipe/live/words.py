"""Events in words."""

from __future__ import annotations

from lorarecipe import events
from lorarecipe.errors import clock, data_size
from lorarecipe.events import Event


def sentence(event: Event) -> str:
    """Say an event in a line; nothing of one that is not worth a line."""
    match event:
        case events.Reused():
            return f"reused   {event.title}, from {event.source}" if event.source else f"reused   {event.title}"
        case events.Waiting():
            return f"waiting  {event.title}: {awaited(event)}"
        case events.Started():
            return f"started  {event.title}: {event.why}"
        case events.Progress():
            return f"training {position(event)}"
        case events.Sampled():
            return f"drawing  {position(event)}"
        case events.Fetching():
            return _transfer(event)
        case events.Pulling():
            return f"pulling  {event.title}: {data_size(event.size)} from {event.where}"
        case events.Pushing():
            return f"pushing  {event.title}: {data_size(event.size)} to {event.where}"
        case events.Pushed():
            return f"pushed   {event.title}"
        case events.Unsent():
            return f"unsent   {event.title}: only this machine has it; {event.message}"
        case events.Damaged():
            return f"damaged  {event.title}: {event.message}; it is made here, and sent anew"
        case events.Pausing():
            return f"pausing  {event.title}: {event.why}; the training ends after this step and saves its state"
        case events.Paused():
            return f"paused   {event.title} after step {event.step} of {event.steps}"
        case events.Finished():
            proof = ", ".join(f"{name} {value}" for name, value in event.proof.items())
            changed = "".join(f"; {file} changed meanwhile, so the stage will be made anew" for file in event.changed)
            return f"done     {event.title} in {clock(event.seconds)} ({proof}){changed}"
        case events.Skipped():
            return f"skipped  {event.title}: a stage before it has failed"
        case events.Failed():
            return f"failed   {event.title}: {first_line(event)}"
        case events.Measured():
            return f"measured {event.name}, on the original checkpoint:"
        case events.Gated():
            if event.of == "base":
                return f"gate     base {event.name}: {event.verdict}"
            return f"gate     checkpoint with the base {event.name}: {event.verdict}"
        case events.Unpicked():
            return f"pick     {event.name}: open {event.page}, mark pictures, put the list into the recipe, run again"
        case events.Delivered():
            return f"result   {event.path}"
        case _:
            return ""


def awaited(event: events.Waiting) -> str:
    """Say what a stage waits for."""
    return f"another run uses GPU {event.gpu}" if event.gpu else "another run makes it"


def position(event: events.Progress | events.Sampled | events.Fetching) -> str:
    """Give step, epoch and loss, as far as they are known; or the pictures that are drawn, or what has come."""
    if isinstance(event, events.Fetching):
        return f"{data_size(event.done)} of {data_size(event.of)}"
    if isinstance(event, events.Sampled):
        return f"{event.done} of {event.of} pictures"
    parts = [f"{event.step}/{event.steps}", f"epoch {event.epoch}/{event.epochs}"]
    if event.loss is not None:
        parts.append(f"loss {event.loss:.4f}")
    return " ".join(parts)


def _transfer(event: events.Fetching) -> str:
    match event.way:
        case "pulling":
            return f"pulling  {position(event)}"
        case "pushing":
            return f"pushing  {position(event)}"
        case _:
            return f"fetching {position(event)}"


def first_line(event: events.Failed) -> str:
    """First line of the reason; the whole of it is the program's last word."""
    return event.message.partition("\n")[0]
