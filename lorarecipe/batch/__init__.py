"""A plan written down for a scheduler: files that call our own command."""

from lorarecipe.batch.groups import Group, groups_of
from lorarecipe.batch.sbatch import sbatch_files

__all__ = ["Group", "groups_of", "sbatch_files"]
