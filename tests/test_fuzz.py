"""A taste of ``tests.faults.fuzz`` without its engine: bytes of chance, and good input with a part replaced."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.fuzz import TARGETS

_PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"[", b"]", b"[[", b"{", b'"', b"'''", b"=", b"\\", b"\n", b"-1", b"1e999", b"\xff", b"nan", b"\x00"]
    ),
)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=150)
@given(data=st.data())
def test_any_bytes_give_a_clear_error_or_none(target: str, data: st.DataObject) -> None:
    run, good = TARGETS[target]
    run(data.draw(st.binary(max_size=64)))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(good)))
        end = data.draw(st.integers(start, min(len(good), start + 20)))
        good = good[:start] + data.draw(_PIECES) + good[end:]
    run(good)
