"""What a line must not break.

A browser breaks a line before and after a formula, also where a comma follows, and around the sign
in "3 × 3". On a phone that happens in every second paragraph.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

UNBROKEN = "unbroken"  # a class of the style sheet

# Numbers, their signs, and short names such as "ln": longer words may be broken apart.
_WORD = re.compile(r"[^\W\d_]{3}")
_LONGEST_NUMBERS = 24  # characters of a cell
_OPENING = re.compile(r"[(\[“‘]+$")
_CLOSING = re.compile(r"^[)\]”’.,;:!?]+")
_SPACE_AT_SIGN = re.compile(r"(?<=[\w)]) ([×·]) (?=[\w(])|(?<=\d) (%)")
_NO_PROSE = (nodes.FixedTextElement, nodes.literal, nodes.math, nodes.raw)


def connect_line_breaks(app: Sphinx) -> None:
    """Listen to Sphinx. The links of terms, which read whole sentences, are made before."""
    app.connect("doctree-resolved", _keep_together, priority=900)


def _keep_together(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    del app, docname
    for entry in doctree.findall(nodes.entry):
        text = entry.astext()
        if len(text) <= _LONGEST_NUMBERS and not _WORD.search(text):
            entry["classes"].append(UNBROKEN)
    for text in list(doctree.findall(_is_prose)):
        together = _SPACE_AT_SIGN.sub(_with_fixed_space, str(text))
        if together != text:
            text.parent.replace(text, nodes.Text(together))
    for formula in list(doctree.findall(nodes.math)):
        _hold_punctuation(formula)


def _is_prose(node: nodes.Node) -> bool:
    if not isinstance(node, nodes.Text):
        return False
    parent = node.parent
    while parent is not None and not isinstance(parent, _NO_PROSE):
        parent = parent.parent
    return parent is None


def _with_fixed_space(match: re.Match[str]) -> str:
    return f"\N{NO-BREAK SPACE}{match[1]}\N{NO-BREAK SPACE}" if match[1] else "\N{NO-BREAK SPACE}%"


def _hold_punctuation(formula: nodes.math) -> None:
    """Put a formula, what opens before it and what closes behind it into one unbroken piece."""
    parent, place = formula.parent, formula.parent.index(formula)
    before = _text_at(parent, place - 1)
    behind = _text_at(parent, place + 1)
    opening = _OPENING.search(before)
    closing = _CLOSING.match(behind)
    if not opening and not closing:
        return
    piece = nodes.inline(classes=[UNBROKEN])
    parent.replace(formula, piece)
    if opening:
        parent[place - 1] = nodes.Text(before[: opening.start()])
        piece += nodes.Text(opening.group())
    piece += formula
    if closing:
        parent[place + 1] = nodes.Text(behind[closing.end() :])
        piece += nodes.Text(closing.group())


def _text_at(parent: nodes.Element, place: int) -> str:
    """The text that stands there, if any does."""
    node = parent[place] if 0 <= place < len(parent) else None
    return str(node) if isinstance(node, nodes.Text) else ""
