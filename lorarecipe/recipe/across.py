"""What no table of a recipe can tell by itself: options, pictures and trainers that do not fit each other."""

from __future__ import annotations

from collections.abc import Iterable

from lorarecipe.errors import Fault
from lorarecipe.recipe.lines import Where
from lorarecipe.recipe.model import Recipe
from lorarecipe.recipe.options import EMBEDDED_OPTIONS, only_for
from lorarecipe.recipe.samples import Samples


def across_tables(recipe: Recipe) -> Iterable[Fault]:
    """Give every such fault."""
    trainings = (
        (("base", "training"), recipe.base.training),
        (("target", "training"), recipe.target.training if recipe.target else None),
    )
    if recipe.method != "two-phase":
        yield from _alone(recipe)
    if recipe.distill and recipe.method != "distill":
        yield recipe.fault(("distill",), 'found [distill], expected it with method = "distill"')
    if recipe.samples:
        yield from _samples(recipe, recipe.samples)
    elif recipe.control.enabled:
        yield recipe.fault(("control", "enabled"), "found a control arm, expected [samples] to compare it by")
    if recipe.trainer.engine == "embedded":
        yield from _beyond_embedded(recipe)
    for where, training in trainings:
        for name in training.extra if training else ():
            family = only_for(name)
            if family and family != recipe.checkpoint.family:
                message = f"found an option for {family}, expected one for {recipe.checkpoint.family}"
                yield recipe.fault((*where, "extra", name), message)


def _alone(recipe: Recipe) -> Iterable[Fault]:
    """What a method without a base needs, and what it has no use for."""
    if not recipe.target:
        yield recipe.fault(("target",), f'missing; expected it with method = "{recipe.method}"')
    if recipe.method == "distill" and not recipe.distill:
        yield recipe.fault(("distill",), 'missing; expected it with method = "distill"')
    if recipe.control.enabled:
        yield recipe.fault(("control", "enabled"), 'found a control arm, expected one with method = "two-phase" only')


def _samples(recipe: Recipe, samples: Samples) -> Iterable[Fault]:
    """What pictures can be drawn of."""
    if not recipe.target:
        yield recipe.fault(("samples",), "found [samples], expected it in the recipe of a target")
        return
    every = recipe.target.training.save_every_epochs
    if lost := [epoch for epoch in samples.epochs if not every or epoch % every]:
        saved = f"multiples of {every}" if every else "none, as save_every_epochs is not set"
        yield recipe.fault(("samples", "epochs"), f"found {lost[0]}, expected saved epochs: {saved}")


def _beyond_embedded(recipe: Recipe) -> Iterable[Fault]:
    """What sd-scripts can do and the embedded trainer cannot."""
    wanted: list[tuple[Where, object, object]] = [
        (("checkpoint", "family"), recipe.checkpoint.family, "sd15"),
        (("checkpoint", "vae"), recipe.checkpoint.vae, None),
        (("checkpoint", "v_prediction"), recipe.checkpoint.v_prediction, False),
        (("merge", "mode"), recipe.merge.mode, "checkpoint"),
        (("trainer", "processes"), recipe.trainer.processes, 1),
    ]
    for phase, part in (("base", recipe.base), ("target", recipe.target)):
        if part and part.training:
            wanted.append(((phase, "training", "optimizer"), part.training.optimizer, "AdamW"))
            for option in sorted(part.training.extra.keys() - EMBEDDED_OPTIONS):
                yield recipe.fault(
                    (phase, "training", "extra", option),
                    f"found {option}, expected one of: {', '.join(sorted(EMBEDDED_OPTIONS))} (embedded trainer)",
                )
    for where, found, expected in wanted:
        if found != expected:
            told = "nothing" if expected is None else repr(expected)
            yield recipe.fault(where, f"found {str(found)!r}, expected {told} with the embedded trainer")
