"""Text of strangers, for people to read: on pages and in terminals."""

import re

# Colours, cursor movements and window titles; control characters; marks that turn the direction
# of reading round or cannot be seen; halves of characters, which no file can hold.
_SEQUENCE = re.compile(r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff]"
)


def plain(text: str) -> str:
    """Text without control characters, colour codes and direction marks.

    Of a line that was written over, such as a progress bar, the last state stays.

    >>> plain("a\\x1b[31mb\\x00c\\n10 %\\r100 %\\r\\nend")
    'abc\\n100 %\\nend'
    """
    lines = _SEQUENCE.sub("", text).split("\n")
    return _CONTROL.sub("", "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))
