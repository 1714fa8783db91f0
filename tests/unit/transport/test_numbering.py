"""Frames numbered for a whole audience equal those numbered one by one."""

from hypothesis import given
from hypothesis import strategies as st

from hubbub.transport.numbering import Numbering, numbered_frame


TAILS = st.lists(st.binary(max_size=300).map(lambda data: b"," + data), min_size=1, max_size=20)


@given(tails=TAILS, numbers=st.lists(st.integers(0, 10_050), min_size=1, max_size=5))
def test_shared_numbering_equals_numbering_each(tails: list[bytes], numbers: list[int]) -> None:
    """Whatever the tails and wherever a connection stands, it gets its own numbers in order."""
    numbering = Numbering(tails)

    for number in numbers:
        each = [numbered_frame(number + 1 + at, tail) for at, tail in enumerate(tails)]
        assert numbering.after(number) == b"".join(each)


def test_percent_signs_are_only_bytes() -> None:
    """A percent sign in a tail, or a header byte that is one, comes out as it went in."""
    tail = b',"text":"100%d of %(this)s"}'
    header_is_percent = b"," + b"x" * (37 - len(b'{"seq":7') - 2) + b"}"

    assert Numbering([tail]).after(6) == b'\x81\x24{"seq":7' + tail
    assert Numbering([header_is_percent]).after(6) == b'\x81%{"seq":7' + header_is_percent


def test_digits_change_within_one_write() -> None:
    """A write that goes from 9 to 10 gives both frames their own length."""
    assert Numbering([b"}", b"}"]).after(8) == b'\x81\x09{"seq":9}\x81\x0a{"seq":10}'
