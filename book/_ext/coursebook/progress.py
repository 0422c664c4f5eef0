"""A bar that shows which page is being read."""

from __future__ import annotations

import sys

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from tqdm import tqdm


class PageProgress:
    """Follow Sphinx through its pages: one step a page, its name beside the bar."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def connect(self, app: Sphinx) -> None:
        """Listen to the events of one build."""
        app.connect("env-before-read-docs", self._start)
        app.connect("source-read", self._name)
        app.connect("doctree-read", self._step)
        app.connect("env-updated", self._close)
        app.connect("build-finished", self._close)

    def _start(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        del app, env
        # Not `sys.stderr`: there the builder collects what Sphinx says.
        self._bar = tqdm(total=len(docnames), desc="read pages", unit="page", file=sys.__stderr__)

    def _name(self, app: Sphinx, docname: str, content: list[str]) -> None:
        del app, content
        if self._bar is not None:
            self._bar.set_postfix_str(docname)

    def _step(self, app: Sphinx, doctree: nodes.document) -> None:
        del app, doctree
        if self._bar is not None:
            self._bar.update()

    def _close(self, *event: object) -> None:
        del event
        if self._bar is not None:
            self._bar.close()
