"""The buttons above a page: the notebook to run it, and print."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

DOWNLOADS = "downloads"  # in the site: one folder, so that the notebooks link to each other
_LOGOS = {  # the theme's
    "Colab": "_static/images/logo_colab.png",
    "Binder": "_static/images/logo_binder.svg",
    "JupyterHub": "_static/images/logo_jupyterhub.svg",
}
FIGURES = "_scripts/figures"  # in `book/`; what is in `_static` Jupyter Book loads on every page


def page_notebook(docname: str) -> str:
    """File name of a page's notebook; never that of a sheet, which bears the chapter's name.

    >>> page_notebook("iou-nms")
    'book-iou-nms.ipynb'
    """
    return f"book-{docname.replace('/', '-')}.ipynb"


def sheet_download(name: str) -> str:
    """A sheet's notebook in the site."""
    return f"{DOWNLOADS}/{name}.ipynb"


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
    """Where to run the page's notebook, if it has one; the notebook, and the browser's print."""
    choices = []
    launches = []
    if notebook := _notebook(app, pagename):
        choices.append(_link(context["pathto"](notebook, 1)))
        launches = _launches(app.config.coursebook_publication.launch_links(notebook))
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
        *launches,
        {
            "type": "group",
            "tooltip": "Download this page",
            "icon": "fas fa-download",
            "buttons": choices,
            "label": "download-buttons",
        },
    ]


def _notebook(app: Sphinx, pagename: str) -> str | None:
    """Where the site has the page's notebook."""
    if pagename in app.config.coursebook_notebooks:
        return f"{DOWNLOADS}/{page_notebook(pagename)}"
    if pagename.startswith("exercises/"):
        return sheet_download(pagename.removeprefix("exercises/"))
    return None


def _launches(links: dict[str, str]) -> list[dict[str, Any]]:
    """One button with a list of hosts; the theme's own knows no other folder or branch."""
    if not links:
        return []
    choices = [
        {
            "type": "link",
            "url": url,
            "text": host,
            "tooltip": f"Run this page on {host}",
            "icon": _LOGOS[host],
        }
        for host, url in links.items()
    ]
    return [
        {
            "type": "group",
            "tooltip": "Run this page",
            "icon": "fas fa-rocket",
            "buttons": choices,
            "label": "launch-buttons",
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
