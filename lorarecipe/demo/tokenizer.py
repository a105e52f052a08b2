"""Write a CLIP tokenizer with a vocabulary of a few hundred tokens, so that a text encoder can be a small file.

Every byte is a token, so any caption can be read; the words of the world and of the method's vocabulary are one
token each, by byte-pair encoding of just these words.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
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
    merges = _merges([(*word[:-1], word[-1] + "</w>") for word in words])
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


def _merges(words: list[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Join the commonest pair everywhere, again and again, until each word is whole: the order is the merges' rank."""
    merges = []
    while pairs := Counter(pair for word in words for pair in pairwise(word)):
        merges.append(max(pairs, key=lambda pair: (pairs[pair], pair)))
        words = [_joined(word, merges[-1]) for word in words]
    return merges


def _joined(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    whole: list[str] = []
    for part in word:
        if whole and (whole[-1], part) == pair:
            whole[-1] += part
        else:
            whole.append(part)
    return tuple(whole)


def _byte_letters() -> list[str]:
    """One visible letter for each byte, in the order of byte-level BPE: printable ones first, as themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(hidden))]


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
