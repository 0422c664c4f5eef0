"""Names for the folds in the sidebar, which the theme gives an arrow and no text."""

from __future__ import annotations

from functools import cache
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx


def name_folds(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Let the theme's table of contents say, to those who hear it, what a fold holds."""
    del app, pagename, templatename, doctree
    generate = context.get("generate_toctree_html")
    if generate is None:  # a page without the theme's frame
        return

    @cache
    def generate_named(*arguments: Any, **options: Any) -> BeautifulSoup | str:
        contents = generate(*arguments, **options)
        if isinstance(contents, BeautifulSoup):
            for entry in contents.select("li:has(> details)"):
                chapter, fold = entry.select("a")[0], entry.select("details > summary")[0]
                fold["aria-label"] = f"Pages that belong to {chapter.get_text(strip=True)}"
        return contents

    context["generate_toctree_html"] = generate_named
