"""Write a CLIP tokenizer with a vocabulary of a few hundred tokens, so that a text encoder can be a small file.

Every byte is a token, so any caption can be read; the words of the world and of the method's vocabulary are one
token each. The merges are our own: a word is put together letter by letter, from the left.
"""

from __future__ import annotations

import json
from pathlib import Path

from lorarecipe.demo.world import BACKGROUNDS, DRESSES, HAIR, POSES, STYLES, VIEWS, ZOOMS

#: tokens of a caption, with the two that mark its ends
LENGTH = 32
_OTHER_WORDS = "girl solo nude completely cowboy shot portrait close up standing medium small large breasts hair"


def write_tokenizer(folder: Path) -> int:
    """Write ``vocab.json``, ``merges.txt`` and the two configuration files.

    Returns
    -------
    int
        Size of the vocabulary.
    """
    tags = (*HAIR, *DRESSES, *STYLES, *POSES, *VIEWS, *ZOOMS, *BACKGROUNDS)
    words = dict.fromkeys(" ".join(tags).split() + _OTHER_WORDS.split())
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        left = word[0]
        for letter in [*word[1:-1], word[-1] + "</w>"]:
            merges[left, letter] = None
            left += letter
    letters = _byte_letters()
    tokens = [*letters, *(letter + "</w>" for letter in letters), *(left + right for left, right in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": tokens[-2], "eos_token": tokens[-1], "unk_token": tokens[-1], "pad_token": tokens[-1]}
    _write(folder / "special_tokens_map.json", special)
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "do_lower_case": True, **special},
    )
    return len(tokens)


def _byte_letters() -> list[str]:
    """One visible letter for each byte, in the order of byte-level BPE: printable ones first, as themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(hidden))]


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
