"""Put a finished LoRA where others find it: a model card and one commit on a hub, and a sheet for Civitai."""

from lorarecipe.publish.civitai import SHEET, sheet_of
from lorarecipe.publish.files import files_of, write_files
from lorarecipe.publish.recipe_text import without_folders
from lorarecipe.publish.result import LICENSE, Result, result_of
from lorarecipe.publish.upload import commit_files

__all__ = [
    "LICENSE",
    "SHEET",
    "Result",
    "commit_files",
    "files_of",
    "result_of",
    "sheet_of",
    "without_folders",
    "write_files",
]
