"""Sphinx extension of the course book: the exercise card, the interactive
figures, the checks, the buttons, the progress.

Built by `book/build.py`, which also uses this package's other modules on their own.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything with Sphinx."""
    # Imported here: the builder's fast path needs none of Sphinx.
    from coursebook.card import ExerciseCard
    from coursebook.facts import connect_facts
    from coursebook.figures import check_page
    from coursebook.header import offer_notebook
    from coursebook.images import SmallImages
    from coursebook.interactive import connect_figures
    from coursebook.line_breaks import connect_line_breaks
    from coursebook.metadata import describe_page
    from coursebook.progress import PageProgress
    from coursebook.publication import Publication
    from coursebook.question import connect_questions
    from coursebook.sidebar import name_folds
    from coursebook.terms import TermLinks

    app.add_config_value("coursebook_release", "", "env", str)
    app.add_config_value("coursebook_notebooks", [], "env", list)
    app.add_config_value("coursebook_report", "", "", str)
    app.add_config_value("coursebook_publication", Publication(), "env", Publication)
    app.add_directive("exercise-card", ExerciseCard)
    app.connect("config-inited", _use_svg_maths)
    app.connect("config-inited", _serve_scripts)
    app.connect("config-inited", _make_own_launch_links)
    app.connect("doctree-read", check_page)
    app.add_post_transform(SmallImages)
    connect_facts(app)
    connect_figures(app)
    connect_line_breaks(app)
    connect_questions(app)
    # After the theme has made its own buttons, at 501.
    app.connect("html-page-context", offer_notebook, priority=600)
    app.connect("html-page-context", name_folds, priority=600)
    app.connect("html-page-context", describe_page)
    # Before the table of contents writes a bare redirection, at 500.
    app.connect("build-finished", _write_index, priority=400)
    app.connect("build-finished", _report_times)
    TermLinks().connect(app)
    PageProgress().connect(app)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}


def _use_svg_maths(app: Sphinx, config: Config) -> None:
    """Formulas as SVG need no font: some browsers refuse to load one for a page from `file://`."""
    del app
    config.mathjax_path = "mathjax/tex-svg.js"


def _serve_scripts(app: Sphinx, config: Config) -> None:
    """Scripts for some pages: copied into the site, loaded by the pages that need them."""
    del app
    config.html_static_path.append("_scripts")


def _make_own_launch_links(app: Sphinx, config: Config) -> None:
    """The theme's lead to a page's source, and it would copy the executed notebooks for them."""
    del app
    config.html_theme_options["launch_buttons"] = {}


def _write_index(app: Sphinx, exception: Exception | None) -> None:
    """The first page is the site's own address too: who shows a link follows no redirection."""
    if exception is None and app.config.root_doc != "index":
        site = Path(app.outdir)
        shutil.copy(site / f"{app.config.root_doc}.html", site / "index.html")


def _report_times(app: Sphinx, exception: Exception | None) -> None:
    """Write how long each page's cells took, and whether they ran now or came from the cache."""
    if exception is not None or not app.config.coursebook_report:
        return
    pages = {}
    for docname, data in sorted(getattr(app.env, "nb_metadata", {}).items()):
        executed = data.get("exec_data")
        if executed and executed.get("runtime") is not None:
            pages[docname] = {"seconds": executed["runtime"], "at": executed["mtime"]}
    report = {"pages": pages, "written": time.time()}
    Path(app.config.coursebook_report).write_text(json.dumps(report), encoding="utf-8")
