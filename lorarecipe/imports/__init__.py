"""What users of other trainers have already, into a recipe: configurations, folders of images, finished LoRAs."""

from lorarecipe.imports.checkpoint import foreign
from lorarecipe.imports.importing import Imported, import_recipe
from lorarecipe.imports.stated import Stated, stated_settings
from lorarecipe.imports.values import number, parsed_json, shown

__all__ = ["Imported", "Stated", "foreign", "import_recipe", "number", "parsed_json", "shown", "stated_settings"]
