"""Train a character LoRA from 3D renders in two phases, so that only the character is learned."""

__version__ = "0.1.0"
