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
    animated_image,
    arms_at_sides_mismatch,
    base_image_in_target,
    base_of_another_checkpoint,
    cached_text_encoder,
    checkpoint_of_another_family,
    colour_profile,
    coloured_background,
    conflicting_rates,
    confounded_traits,
    cut_figure,
    duplicate_stem,
    eight_bit_target,
    empty_folder,
    few_characters,
    figure_count,
    folder_repeats,
    foreign_base,
    from_behind_mismatch,
    hair_hue_gap,
    hair_outside_base,
    half_vae,
    image_bomb,
    large_target_rank,
    missing_caption,
    missing_checkpoint,
    missing_hair_axis,
    missing_trait,
    missing_white_background,
    mixed_case_extension,
    near_duplicate,
    nudity_with_child,
    outside_link,
    quantised_base,
    rotated_image,
    rounded_merge,
    spread_arms,
    stray_file,
    too_small_image,
    transparent_image,
    truncated_image,
    uneven_visits,
    unknown_base_tag,
    unlike_aspect,
    unlike_lighting,
    unlike_prediction,
    unlike_resolution,
    unlikely_rate,
    unlisted_tag,
    unmatched_shots,
    unreadable_image,
    untold_trait,
    unvaried_base,
    upscaled_image,
    useless_mask,
    vanishing_figure,
    velocity_options,
    wrong_trait,
    zoom_mismatch,
    zoom_tag_count,
)
from lorarecipe.rules.finding import Finding, Fix, Rule, Severity

__all__ = ["RULES", "UNALTERABLE", "Checked", "Finding", "Fix", "Rule", "Severity", "check"]

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
    "IMG004": truncated_image,
    "IMG005": image_bomb,
    "IMG006": animated_image,
    "IMG007": rotated_image,
    "IMG008": transparent_image,
    "IMG009": coloured_background,
    "IMG010": cut_figure,
    "IMG011": zoom_mismatch,
    "IMG012": spread_arms,
    "IMG013": figure_count,
    "IMG014": mixed_case_extension,
    "IMG015": near_duplicate,
    "IMG016": colour_profile,
    "IMG017": upscaled_image,
    "IMG018": vanishing_figure,
    "IMG019": useless_mask,
    "SET001": empty_folder,
    "SET002": missing_caption,
    "SET003": stray_file,
    "SET004": base_image_in_target,
    "SET005": few_characters,
    "SET006": unvaried_base,
    "SET007": confounded_traits,
    "SET008": uneven_visits,
    "SET009": missing_hair_axis,
    "SET010": hair_outside_base,
    "SET011": hair_hue_gap,
    "SET012": outside_link,
    "SET013": folder_repeats,
    "PAR001": zoom_tag_count,
    "PAR002": from_behind_mismatch,
    "PAR003": unmatched_shots,
    "PAR004": unlike_lighting,
    "PAR005": unlike_resolution,
    "PAR006": unlike_aspect,
    "RCP001": cached_text_encoder,
    "RCP002": quantised_base,
    "RCP003": eight_bit_target,
    "RCP004": large_target_rank,
    "RCP005": rounded_merge,
    "RCP006": half_vae,
    "RCP007": velocity_options,
    "RCP008": conflicting_rates,
    "RCP009": unlikely_rate,
    "TRN001": foreign_base,
    "TRN002": checkpoint_of_another_family,
    "TRN003": missing_checkpoint,
    "TRN005": base_of_another_checkpoint,
    "TRN006": unlike_prediction,
}
#: what a base and a target have to keep to; any other training's captions are its own
_OF_TWO_PHASES = ("BAS", "TGT", "PAR")
#: no setting changes what these find
UNALTERABLE = frozenset({"NEV001", "SET012"})


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
        if dataset.recipe.method != "two-phase" and code.startswith(_OF_TWO_PHASES):
            continue
        for finding in rule.check(dataset):
            own = finding.severity if rule.SEVERITY == "error" else rule.SEVERITY  # less than certain: a warning
            severity = _severity(code, finding, settings.get(code), dataset.recipe) or own
            if severity == "ignore":
                ignored.append(replace(finding, code=code, severity=own))
            else:
                kept.append(replace(finding, code=code, severity="error" if severity == "error" else "warning"))
    return Checked(dataset, tuple(sorted(kept)), tuple(sorted(ignored)))


def _settings(recipe: Recipe) -> Mapping[str, RuleSetting]:
    unknown = sorted(recipe.rules.keys() - (RULES.keys() - UNALTERABLE))
    if unknown:
        raise RecipeError(
            tuple(
                recipe.fault(("rules", code), f"found {code!r}, expected the code of a rule that may be set")
                for code in unknown
            )
        )
    return recipe.rules


def _severity(code: str, finding: Finding, setting: RuleSetting | None, recipe: Recipe) -> str | None:
    if setting is None:
        return None
    # patterns are relative to the file that they stand in
    lines = recipe.lines if recipe.lines.holds(("rules", code)) else recipe.base_lines
    path = Path(os.path.relpath(finding.path, lines.path.parent)).as_posix()
    return setting.severity if any(fnmatchcase(path, pattern) for pattern in setting.paths) else None
