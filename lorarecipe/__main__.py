"""``python -m lorarecipe`` is ``lorarecipe``."""

from lorarecipe.cli import entry

if __name__ == "__main__":
    entry()
