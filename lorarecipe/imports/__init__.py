"""What users of other trainers have already, into a recipe: configurations, folders of images, finished LoRAs."""

from lorarecipe.imports.importing import Imported, import_recipe

__all__ = ["Imported", "import_recipe"]
