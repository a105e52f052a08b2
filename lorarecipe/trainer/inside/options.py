"""Print the options of the checkout's own parsers as JSON: what ``vendor/options.json`` holds.

Usage: python options.py CHECKOUT
"""

import importlib
import json
import os
import sys


def main(checkout):
    """Import the parsers and print."""
    sys.path.insert(0, checkout)
    os.environ["HF_HUB_OFFLINE"] = "1"
    common = actions("train_network")
    options = {name: dict(option, only=None) for name, option in common.items()}
    for name, option in actions("sdxl_train_network").items():
        if name not in common:
            options[name] = dict(option, only="sdxl")
    print(json.dumps({"options": options}, indent=0, sort_keys=True))


def actions(script):
    """List one script's options by name."""
    kinds = {"int": "int", "float": "float", "int_or_float": "float"}
    listed = {}
    for action in importlib.import_module(script).setup_parser()._actions:
        flag = action.nargs == 0
        kind = "flag" if flag else kinds.get(getattr(action.type, "__name__", ""), "str")
        choices = [c for c in action.choices if c is not None] if action.choices else None
        for option in action.option_strings:
            if option.startswith("--") and option != "--help":
                listed[option[2:]] = {"kind": kind, "choices": choices, "many": action.nargs in ("*", "+")}
    return listed


if __name__ == "__main__":
    main(sys.argv[1])
