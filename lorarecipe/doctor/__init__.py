"""Say what this machine lacks for a recipe, and write what a bug report needs."""

from lorarecipe.doctor.bundle import write_bundle
from lorarecipe.doctor.examination import as_json, examine, is_ready
from lorarecipe.doctor.finding import Finding

__all__ = ["Finding", "as_json", "examine", "is_ready", "write_bundle"]
