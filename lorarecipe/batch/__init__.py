"""A plan written down for a scheduler: files that call our own command."""

from lorarecipe.batch.groups import Group, groups_of
from lorarecipe.batch.sbatch import sbatch_files
from lorarecipe.batch.sky import Pod, paths_of, sky_task, unmountable

__all__ = ["Group", "Pod", "groups_of", "paths_of", "sbatch_files", "sky_task", "unmountable"]
