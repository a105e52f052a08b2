"""Tests and tools: for all of them the program speaks English, whatever the machine's locale."""

import os

os.environ["LORARECIPE_LANG"] = "en"
