"""What a line of a page does not break."""

from __future__ import annotations

import pytest
from coursebook.line_breaks import _keep_together
from docutils import nodes
from docutils.utils import new_document


def page(*parts: nodes.Node) -> nodes.document:
    """A page of one paragraph, as it is written."""
    document = new_document("page")
    document += nodes.paragraph("", "", *parts)
    _keep_together(None, document, "page")  # type: ignore[arg-type]
    return document


def pieces(document: nodes.document) -> list[str]:
    return [node.astext() for node in document.findall(nodes.inline)]


@pytest.mark.parametrize(
    ("before", "behind", "piece"),
    [
        ("so ", ", and", "s,"),
        ("(see ", ".) Next", "s.)"),
        ("the shift (", ") is", "(s)"),
        ("half (", " of it", "(s"),
    ],
)
def test_a_formula_keeps_its_punctuation(before: str, behind: str, piece: str) -> None:
    document = page(nodes.Text(before), nodes.math("s", "s"), nodes.Text(behind))

    assert pieces(document) == [piece]
    assert document.astext() == f"{before}s{behind}"


def test_between_words_a_formula_stays_as_it_is() -> None:
    assert pieces(page(nodes.Text("the shift "), nodes.math("s", "s"), nodes.Text(" is"))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 × 640 × 480 pixels", "3_×_640_×_480 pixels"),
        ("H · W of 95 % and", "H_·_W of 95_% and"),
        ("width × – a sign, 3 + 4", "width × – a sign, 3 + 4"),
    ],
)
def test_a_product_stays_on_its_line(text: str, expected: str) -> None:
    fixed = expected.replace("_", "\N{NO-BREAK SPACE}")

    assert page(nodes.Text(text)).astext() == fixed


def test_code_keeps_its_spaces() -> None:
    assert page(nodes.literal("", "3 × 4")).astext() == "3 × 4"


@pytest.mark.parametrize(
    ("cell", "unbroken"),
    [
        ("(48, 16, 112, 80)", True),
        ("40 · 1.414 = 56.57", True),
        ("ln 2, 0", True),
        ("column 1 at 1.5", False),
        ("1, 2, 3, 4, 5, 6, 7, 8, 9, 10", False),
    ],
)
def test_a_cell_of_numbers_stays_on_its_line(cell: str, unbroken: bool) -> None:
    document = page(nodes.entry("", nodes.paragraph("", cell)))

    assert next(document.findall(nodes.entry))["classes"] == ["unbroken"] * unbroken
