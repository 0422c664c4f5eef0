"""The buttons above a page: the notebook to run it, and print."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

PAGE_DOWNLOADS = "downloads/pages"  # in the site
FIGURES = "_scripts/figures"  # in `book/`; what is in `_static` Jupyter Book loads on every page


def page_notebook(docname: str) -> str:
    """File name of a page's notebook; never that of a sheet, which bears the chapter's name.

    >>> page_notebook("iou-nms")
    'book-iou-nms.ipynb'
    """
    return f"book-{docname.replace('/', '-')}.ipynb"


def offer_notebook(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Replace the theme's buttons, which offer a page's MyST source, by links to notebooks."""
    del templatename
    buttons = [
        button
        for button in context.get("header_buttons", [])
        if button.get("label") != "download-buttons"
    ]
    if doctree is not None:
        buttons = [*_page_buttons(app, pagename, context), *buttons]
    context["header_buttons"] = buttons


def _page_buttons(app: Sphinx, pagename: str, context: dict[str, Any]) -> list[dict[str, Any]]:
    """A notebook to run, if the page has one, and the browser's print."""
    choices = []
    if pagename in app.config.coursebook_notebooks:
        url = context["pathto"](f"{PAGE_DOWNLOADS}/{page_notebook(pagename)}", 1)
        choices.append(_link(url))
    elif pagename.startswith("exercises/"):
        url = context["pathto"](f"downloads/{pagename}.ipynb", 1)
        choices.append(_link(url))
    choices.append(
        {
            "type": "javascript",
            "javascript": "window.print()",
            "text": "Print, or save as PDF",
            "icon": "fas fa-print",
            "label": "download-pdf-button",
        }
    )
    return [
        {
            "type": "group",
            "tooltip": "Download this page",
            "icon": "fas fa-download",
            "buttons": choices,
            "label": "download-buttons",
        }
    ]


def _link(url: str) -> dict[str, Any]:
    return {
        "type": "link",
        "url": url,
        "text": "Notebook to run (.ipynb)",
        "icon": "fas fa-code",
        "label": "download-notebook-button",
    }
