"""Checks on a page as Sphinx has read it: alternative texts, and what cells must not leave behind.

Each finding is logged as an error, so that a build with warnings as errors fails.
"""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)


def check_page(app: Sphinx, doctree: nodes.document) -> None:
    """Log an error for every image without alternative text, and for all stderr of cells.

    Args:
        app: the running Sphinx.
        doctree: one page, before its outputs' formats are chosen.
    """
    for image in doctree.findall(nodes.image):
        if _enclosing_cell(image) is None and not image.get("alt", "").strip():
            what = (
                f"image {image.get('uri')!r} has no alternative text: say what is to be seen, "
                "with `:alt:` or `![text](…)`"
            )
            _LOGGER.error(what, location=(app.env.docname, _line(image)), type="coursebook")
    for cell in doctree.findall(_is_cell):
        # MyST-NB counts two lines too far: it gives the second line of the code.
        line = None if cell.line is None else cell.line - 2
        for what in _wrong_with(cell):
            _LOGGER.error(what, location=(app.env.docname, line), type="coursebook")


def _wrong_with(cell: nodes.container) -> Iterator[str]:
    for block in cell.findall(nodes.literal_block):
        if "stderr" in block["classes"]:
            yield f"the cell wrote to stderr: {_shortened(block.astext())}"
    found = [_image_of(output) for output in cell.findall(_is_output)]
    figures = [image for image in found if image is not None]
    if figures and not figures[0].get("alt", "").strip():
        yield (
            "the cell draws a figure that has no alternative text: say what is to be seen, with "
            "`mystnb: image: alt:` at the top of the cell"
        )
    elif len(figures) > 1:
        yield (
            f"the cell draws {len(figures)} figures that would share one alternative text: one "
            "figure a cell"
        )


def _is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _is_output(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def _image_of(output: nodes.container) -> nodes.image | None:
    return next(iter(output.findall(nodes.image)), None)


def _enclosing_cell(node: nodes.Node) -> nodes.Node | None:
    while node is not None and not _is_cell(node):
        node = node.parent
    return node


def _line(node: nodes.Node) -> int | None:
    """An image in a sentence has line 0, or none; its paragraph knows better."""
    while node is not None and not node.line:
        node = node.parent
    return None if node is None else node.line


def _shortened(text: str) -> str:
    """The first and the last line of a warning or a traceback say most."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " … ".join(lines if len(lines) < 3 else [lines[0], lines[-1]])
