"""The rule book: one file a rule, one table from code to rule."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from lorarecipe.dataset import Dataset
from lorarecipe.errors import RecipeError
from lorarecipe.recipe import Recipe, RuleSetting
from lorarecipe.rules import (
    arms_at_sides_mismatch,
    base_image_in_target,
    cached_text_encoder,
    checkpoint_of_another_family,
    confounded_traits,
    duplicate_stem,
    eight_bit_target,
    empty_folder,
    few_characters,
    foreign_base,
    from_behind_mismatch,
    half_vae,
    large_target_rank,
    missing_caption,
    missing_checkpoint,
    missing_trait,
    missing_white_background,
    nudity_with_child,
    quantised_base,
    rounded_merge,
    stray_file,
    too_small_image,
    uneven_visits,
    unknown_base_tag,
    unlisted_tag,
    unmatched_shots,
    unreadable_image,
    untold_trait,
    unvaried_base,
    velocity_options,
    wrong_trait,
    zoom_tag_count,
)
from lorarecipe.rules.finding import Finding, Rule, Severity

__all__ = ["RULES", "UNALTERABLE", "Checked", "Finding", "Rule", "Severity", "check"]

#: BAS base captions, TGT target captions, NEV never, IMG images, SET a dataset as a whole, PAR both phases,
#: RCP settings, TRN the trainer
RULES: dict[str, Rule] = {
    "BAS001": missing_trait,
    "BAS002": unknown_base_tag,
    "BAS003": wrong_trait,
    "BAS004": untold_trait,
    "TGT001": unlisted_tag,
    "TGT002": missing_white_background,
    "TGT003": arms_at_sides_mismatch,
    "NEV001": nudity_with_child,
    "IMG001": unreadable_image,
    "IMG002": duplicate_stem,
    "IMG003": too_small_image,
    "SET001": empty_folder,
    "SET002": missing_caption,
    "SET003": stray_file,
    "SET004": base_image_in_target,
    "SET005": few_characters,
    "SET006": unvaried_base,
    "SET007": confounded_traits,
    "SET008": uneven_visits,
    "PAR001": zoom_tag_count,
    "PAR002": from_behind_mismatch,
    "PAR003": unmatched_shots,
    "RCP001": cached_text_encoder,
    "RCP002": quantised_base,
    "RCP003": eight_bit_target,
    "RCP004": large_target_rank,
    "RCP005": rounded_merge,
    "RCP006": half_vae,
    "RCP007": velocity_options,
    "TRN001": foreign_base,
    "TRN002": checkpoint_of_another_family,
    "TRN003": missing_checkpoint,
}
#: no setting changes what these find
UNALTERABLE = frozenset({"NEV001"})


@dataclass(frozen=True)
class Checked:
    """A dataset and all that the rules say of it; ``ignored`` is what the recipe has a reason for."""

    dataset: Dataset
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that forbid a training."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def check(dataset: Dataset) -> Checked:
    """Ask every rule, and heed what the recipe makes of its answers.

    Raises
    ------
    RecipeError
        When the recipe sets a rule that does not exist, or one that may not be set.
    """
    settings = _settings(dataset.recipe)
    kept, ignored = [], []
    for code, rule in RULES.items():
        for finding in rule.check(dataset):
            severity = _severity(finding, settings.get(code), dataset.recipe) or rule.SEVERITY
            if severity == "ignore":
                ignored.append(replace(finding, code=code, severity=rule.SEVERITY))
            else:
                kept.append(replace(finding, code=code, severity="error" if severity == "error" else "warning"))
    return Checked(dataset, tuple(sorted(kept)), tuple(sorted(ignored)))


def _settings(recipe: Recipe) -> Mapping[str, RuleSetting]:
    unknown = sorted(recipe.rules.keys() - (RULES.keys() - UNALTERABLE))
    message = "found {!r}, expected the code of a rule that may be set"
    if faults := tuple(recipe.fault(("rules", code), message.format(code)) for code in unknown):
        raise RecipeError(faults)
    return recipe.rules


def _severity(finding: Finding, setting: RuleSetting | None, recipe: Recipe) -> str | None:
    if setting is None:
        return None
    path = Path(os.path.relpath(finding.path, recipe.source.parent)).as_posix()
    return setting.severity if any(fnmatchcase(path, pattern) for pattern in setting.paths) else None
