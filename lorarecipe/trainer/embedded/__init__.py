"""A small LoRA trainer on diffusers and peft that takes sd-scripts' command lines, as far as lorarecipe writes them."""
