"""Text of strangers is made harmless for pages and terminals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.plain_text import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is: ä × 李 🦊\n\tend", "as it is: ä × 李 🦊\n\tend"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("\x1b[2J\x1b[1;1Hhome\x1b[?25l", "home"),
        ("\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link", "textlink"),
        ("\x1b(Bcharset", "(Bcharset"),
        ("a\x00b\x08c\x7fd\x9be", "abcde"),
        ("\u202etxet\u2066\u200f\u200b\ufeff", "txet"),
        ("\ud800x\udfff", "x"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("10 %\r50 %\r100 %\ndone", "100 %\ndone"),
        ("over\r", "over"),
        ("", ""),
    ],
)
def test_plain(text, shown):
    assert plain(text) == shown


@given(st.text(st.characters(codec=None, categories=None)))
def test_anything_can_be_written_and_is_plain_then(text):
    once = plain(text)
    once.encode()
    assert plain(once) == once
