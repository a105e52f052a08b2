"""What is in a safetensors file: its family and flavour, its modules and norms, its hashes, and its metadata."""

from lorarecipe.inspection.hashes import Claim, Hashes
from lorarecipe.inspection.inspecting import Inspection, files_in, inspect
from lorarecipe.inspection.training import Training

__all__ = ["Claim", "Hashes", "Inspection", "Training", "files_in", "inspect"]
