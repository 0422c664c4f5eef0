"""The `{build-facts}` directive: from what, when and where this copy of the book was made."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version

import psutil
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_PACKAGES = (
    "torch", "torchvision", "numpy", "scipy", "matplotlib", "scikit-image", "pycocotools",
    "torchmetrics", "jupyter-book", "nbgrader",
)  # fmt: skip


class build_facts(nodes.General, nodes.Element):  # noqa: N801  # docutils names nodes so
    """The place for the tables; they are known when all pages have been read."""


class BuildFacts(SphinxDirective):
    """Put the tables on the page."""

    def run(self) -> list[nodes.Node]:
        return [build_facts()]


def connect_facts(app: Sphinx) -> None:
    """Register the directive with Sphinx."""
    app.add_directive("build-facts", BuildFacts)
    app.add_node(build_facts)
    app.connect("doctree-resolved", _fill)


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for place in list(doctree.findall(build_facts)):
        made = _table(["what", "here"], _made_with())
        pages = _table(["page", "cells", "run at (UTC)", "seconds"], _pages(app, docname))
        place.replace_self([made, pages])


def _made_with() -> list[list[str]]:
    # A build that is to be the same at any time sets this; it is a convention of many tools.
    now = float(os.environ.get("SOURCE_DATE_EPOCH", datetime.now(UTC).timestamp()))
    memory = psutil.virtual_memory().total / 2**30
    return [
        ["built at (UTC)", _moment(now)],
        ["Python", platform.python_version()],
        *([name, version(name)] for name in _PACKAGES),
        ["system", f"{platform.system()}, {platform.machine()}"],
        ["processor cores, memory", f"{os.cpu_count()}, {memory:.0f} GiB"],
        ["GPU", _gpu()],
    ]


def _gpu() -> str:
    import torch  # seconds to import, for this page alone

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


def _pages(app: Sphinx, docname: str) -> list[list[str | nodes.Node]]:
    """A row for every page with cells that have run, in the order of the book."""
    rows: list[list[str | nodes.Node]] = []
    executions = getattr(app.env, "nb_metadata", {})
    total = 0.0
    for name in _in_order(app):
        ran = executions.get(name, {}).get("exec_data")
        if not ran or ran.get("runtime") is None:
            continue
        cells = sum(
            node.get("nb_element") == "cell_code"
            for node in app.env.get_doctree(name).findall(nodes.container)
        )
        uri = app.builder.get_relative_uri(docname, name)
        link = nodes.reference("", app.env.titles[name].astext(), refuri=uri, internal=True)
        total += ran["runtime"]
        rows.append([link, str(cells), _moment(ran["mtime"]), f"{ran['runtime']:.0f}"])
    return [*rows, ["all pages", "", "", f"{total:.0f}"]]


def _in_order(app: Sphinx) -> Iterable[str]:
    root = app.config.root_doc
    yield root
    for entry in app.env.get_doctree(root).findall(addnodes.toctree):
        yield from entry["includefiles"]


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _table(head: list[str], rows: Iterable[list[str | nodes.Node]]) -> nodes.table:
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group, classes=["build-facts"])


def _row(cells: Iterable[str | nodes.Node]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        content = nodes.Text(cell) if isinstance(cell, str) else cell
        row += nodes.entry("", nodes.paragraph("", "", content))
    return row
