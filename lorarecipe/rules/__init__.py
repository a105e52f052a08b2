"""The rule book: one file a rule, one table from code to rule."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lorarecipe.dataset import Dataset
from lorarecipe.rules import (
    arms_at_sides_mismatch,
    base_image_in_target,
    checkpoint_of_another_family,
    duplicate_stem,
    empty_folder,
    foreign_base,
    from_behind_mismatch,
    missing_caption,
    missing_checkpoint,
    missing_trait,
    missing_white_background,
    stray_file,
    too_small_image,
    unknown_base_tag,
    unlisted_tag,
    unreadable_image,
    zoom_tag_count,
)
from lorarecipe.rules.finding import Finding, Rule, Severity

__all__ = ["RULES", "Checked", "Finding", "Rule", "Severity", "check"]

#: BAS base captions, TGT target captions, IMG images, SET a dataset as a whole, PAR both phases, TRN the trainer
RULES: dict[str, Rule] = {
    "BAS001": missing_trait,
    "BAS002": unknown_base_tag,
    "TGT001": unlisted_tag,
    "TGT002": missing_white_background,
    "TGT003": arms_at_sides_mismatch,
    "IMG001": unreadable_image,
    "IMG002": duplicate_stem,
    "IMG003": too_small_image,
    "SET001": empty_folder,
    "SET002": missing_caption,
    "SET003": stray_file,
    "SET004": base_image_in_target,
    "PAR001": zoom_tag_count,
    "PAR002": from_behind_mismatch,
    "TRN001": foreign_base,
    "TRN002": checkpoint_of_another_family,
    "TRN003": missing_checkpoint,
}


@dataclass(frozen=True)
class Checked:
    """A dataset and all that the rules say of it."""

    dataset: Dataset
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that forbid a training."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def check(dataset: Dataset) -> Checked:
    """Ask every rule."""
    findings = (
        replace(finding, code=code, severity=rule.SEVERITY)
        for code, rule in RULES.items()
        for finding in rule.check(dataset)
    )
    return Checked(dataset, tuple(sorted(findings)))
