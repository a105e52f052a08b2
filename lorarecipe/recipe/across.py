"""What no table of a recipe can tell by itself: options, pictures and trainers that do not fit each other."""

from __future__ import annotations

from collections.abc import Iterable

from lorarecipe.engines import ENGINES, Engine
from lorarecipe.errors import Fault
from lorarecipe.recipe.lines import Where
from lorarecipe.recipe.options import only_for
from lorarecipe.recipe.samples import Samples
from lorarecipe.recipe.whole import Recipe


def across_tables(recipe: Recipe) -> Iterable[Fault]:
    """Give every such fault."""
    trainings = (
        (("base", "training"), recipe.base.training),
        (("target", "training"), recipe.target.training if recipe.target else None),
        (("refine", "training"), recipe.refine.training if recipe.refine else None),
    )
    if recipe.method != "two-phase":
        yield from _alone(recipe)
    if recipe.distill and recipe.method != "distill":
        yield recipe.fault(("distill",), 'found [distill], expected it with method = "distill"')
    if recipe.refine and recipe.method != "two-phase":
        yield recipe.fault(("refine",), 'found [refine], expected it with a target and method = "two-phase"')
    if recipe.samples:
        yield from _samples(recipe, recipe.samples)
    elif recipe.control.enabled:
        yield recipe.fault(("control", "enabled"), "found a control arm, expected [samples] to compare it by")
    if recipe.refine and recipe.refine.training.mask:
        message = f"found {recipe.refine.training.mask!r}, expected none: drawn pictures have no figure on white"
        yield recipe.fault(("refine", "training", "mask"), message)
    weights = recipe.samples.weights if recipe.samples else ()
    if recipe.deliver.weight == "advised" and not (0 in weights and any(weights)):
        message = "found 'advised', expected [samples] with the weight 0 and another, to advise by"
        yield recipe.fault(("deliver", "weight"), message)
    yield from _beyond(recipe, ENGINES[recipe.trainer.engine])
    for where, training in trainings:
        for name in training.extra if training else ():
            if (family := only_for(name)) not in {None, recipe.checkpoint.family}:
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
    every = (recipe.refine or recipe.target).training.save_every_epochs
    saved = f"multiples of {every}" if every else "none, as save_every_epochs is not set"
    for name, epochs in (("epochs", samples.epochs), ("every_epochs", (samples.every_epochs,))):
        if unsaved := [epoch for epoch in epochs if epoch and (not every or epoch % every)]:
            yield recipe.fault(("samples", name), f"found {unsaved[0]}, expected saved epochs: {saved}")


def _beyond(recipe: Recipe, engine: Engine) -> Iterable[Fault]:
    """What the recipe's trainer cannot do."""
    checkpoint, processes = recipe.checkpoint, recipe.trainer.processes
    wanted: list[tuple[Where, object, bool, object]] = [
        (("checkpoint", "family"), checkpoint.family, checkpoint.family in engine.FAMILIES, engine.FAMILIES[0]),
        (("checkpoint", "v_prediction"), True, engine.TRAINS_VELOCITY or not checkpoint.v_prediction, False),
        (("merge", "mode"), "load", engine.LOADS_BASES or recipe.merge.mode != "load", "checkpoint"),
        (("trainer", "processes"), processes, processes <= engine.MOST_PROCESSES, engine.MOST_PROCESSES),
    ]
    wanted += [
        (("checkpoint", name), path, name in engine.COMPONENTS, None) for name, path in checkpoint.components.items()
    ]
    for phase, part in (("base", recipe.base), ("target", recipe.target), ("refine", recipe.refine)):
        if part and part.training:
            name, known = part.training.optimizer, engine.OPTIMIZERS
            wanted.append(
                ((phase, "training", "optimizer"), name, not known or name in known, known[0] if known else "")
            )
            mask = part.training.mask
            wanted.append(((phase, "training", "mask"), mask, mask is None or mask in engine.MASKS, engine.MASKS[0]))
            for option in sorted(part.training.extra.keys() - {*engine.OPTIONS}) if engine.OPTIONS else ():
                yield recipe.fault(
                    (phase, "training", "extra", option),
                    f"found {option}, expected one of: {', '.join(sorted(engine.OPTIONS))} ({engine.TITLE})",
                )
    for where, found, accepted, expected in wanted:
        if not accepted:
            wish = "nothing" if expected is None else repr(expected)
            yield recipe.fault(where, f"found {str(found)!r}, expected {wish} with {engine.TITLE}")
