"""Decode the text of a caption file where its encoding is certain, and list the candidates where it is not."""

from __future__ import annotations

from lorarecipe.encodings import MARKS, readings

#: readings that are shown, and letters of each
_SHOWN, _LETTERS = 4, 40


class UncertainEncoding(ValueError):
    """The encoding of a text cannot be distinguished from its bytes; the message lists how it could be read."""


def decoded(content: bytes, encoding: str | None = None) -> tuple[str, str | None]:
    """Decode a text whose encoding is certain: UTF-8, or an encoding that a byte-order mark names.

    Parameters
    ----------
    content
        Bytes of the file.
    encoding
        What the author says that a file without either is written in.

    Returns
    -------
    tuple of str and (str or None)
        The text, and what the trainer would stumble over in its encoding.

    Raises
    ------
    UncertainEncoding
        When the bytes are neither, or hold NUL bytes, and ``encoding`` is not given or does not fit.
    """
    for mark, name in MARKS.items():
        if content.startswith(mark):
            try:
                text = content[len(mark) :].decode(name)
            except UnicodeDecodeError as error:
                raise UncertainEncoding(
                    f"marked as {name.upper()} by its first bytes, but not {name.upper()}"
                ) from error
            if name == "utf-8":
                return text, "marked with a byte order mark, which would become part of the first tag"
            return text, f"written in {name.upper()}, which the trainer cannot read; save the caption as UTF-8"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _as_the_author_says(content, encoding, f"not UTF-8 (byte {error.start})")
    if "\0" in text:
        return _as_the_author_says(content, encoding, f"not text (a NUL byte at byte {text.index(chr(0))})")
    return text, None


def _as_the_author_says(content: bytes, encoding: str | None, fault: str) -> tuple[str, str]:
    if not encoding:
        raise UncertainEncoding(f"{fault}{_readings(content)}")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UncertainEncoding(f"{fault}, and not {encoding} (byte {error.start}){_readings(content)}") from error
    if "\0" in text:
        raise UncertainEncoding(f"{fault}, and read as {encoding} it holds NUL bytes{_readings(content)}")
    return text, f"written in {encoding}, which the trainer cannot read; save the caption as UTF-8"


def _readings(content: bytes) -> str:
    """Show how the bytes read in other encodings, the likeliest first."""
    found = [f"{name} reads {text[:_LETTERS]!r}" for name, text in readings(content[:4096])]
    if not found:
        return "; it is no text in any known encoding"
    listed = ", ".join(found[:_SHOWN])
    return f"; {listed}; choose the right one: lorarecipe check --fix --encoding NAME"
