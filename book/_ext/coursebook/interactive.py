"""The `{interactive-figure}` directive: a place for one of the figures in `_scripts/figures/`.

````md
```{interactive-figure} boxes
:alt: Two overlapping boxes on squared paper, their intersection and their hull.

Drag a box until the IoU is exactly 0.5.
```
````

On the page stands a still picture of the figure, which its script replaces; where no script runs,
and in a notebook, the picture stays. A script is an ES module. Browsers load none for a page that
was opened as a file, so the modules travel inside the page, behind the names of an import map.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from coursebook.header import FIGURES

STILL_SCALE = 2  # pixels of a still picture for one of the page's: crisp on fine screens
_BASE = "base"  # what all figures share
_IMPORT = re.compile(r'\bfrom "figures/([\w-]+)"')


class interactive_figure(nodes.General, nodes.Element):  # noqa: N801  # docutils names nodes so
    """A still picture and a caption, and the name of the figure that is to come."""


class InteractiveFigure(SphinxDirective):
    """Put a figure on the page."""

    required_arguments = 1
    option_spec: ClassVar = {"alt": directives.unchanged_required}
    has_content = True

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        folder = Path(self.env.srcdir) / FIGURES
        if not (folder / f"{name}.js").is_file():
            known = ", ".join(sorted(path.stem for path in folder.glob("*.png")))
            raise self.error(f"there is no figure {name!r}; there are {known or 'none'}")
        if not (folder / f"{name}.png").is_file():
            raise self.error(f"figure {name!r} has no still picture: `make pictures` takes one")
        if not self.options.get("alt"):
            raise self.error(f"figure {name!r} has no `:alt:`: say what is to be seen on it")
        figure = interactive_figure("", name=name, alt=self.options["alt"])
        with Image.open(folder / f"{name}.png") as still:
            figure["size"] = [side // STILL_SCALE for side in still.size]
        self.set_source_info(figure)
        self.state.nested_parse(self.content, self.content_offset, figure)
        return [figure]


def modules_of(folder: Path, names: Iterable[str]) -> list[str]:
    """Some figures and the modules that they import, the base first, then by name."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _IMPORT.findall((folder / f"{name}.js").read_text(encoding="utf-8"))
    return sorted(found, key=lambda name: (name != _BASE, name))


def import_map(folder: Path, modules: Iterable[str]) -> str:
    """The JSON of an import map that holds the modules themselves."""
    urls = {f"figures/{name}": _data_url(folder / f"{name}.js") for name in modules}
    return json.dumps({"imports": urls})


def style_sheets(folder: Path, modules: Iterable[str]) -> list[str]:
    """The style sheets of modules that have one."""
    return [f"{name}.css" for name in modules if (folder / f"{name}.css").is_file()]


def imports(names: list[str]) -> str:
    """The script that runs some figures."""
    return "\n".join(f'import "figures/{name}";' for name in names)


def figure_names(folder: Path) -> list[str]:
    """The figures of a folder: the modules that mount one."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}
    return [name for name, source in sources.items() if f'mount("{name}"' in source]


def standalone(folder: Path, name: str) -> str:
    """A page with one figure and nothing else."""
    modules = modules_of(folder, [name])
    css = "\n".join((folder / sheet).read_text("utf-8") for sheet in style_sheets(folder, modules))
    return f"""<!doctype html>
<html lang="en" data-theme="light">
<meta charset="utf-8">
<title>{escape(name)}</title>
<style>body {{ font-family: sans-serif; line-height: 1.5 }} {css}</style>
<script type="importmap">{import_map(folder, modules)}</script>
<script type="module">{imports([name])}</script>
{_opening(name)}
</div></figure>
"""


def connect_figures(app: Sphinx) -> None:
    """Register directive, node and scripts with Sphinx."""
    app.add_node(interactive_figure, html=(_open, _close))
    app.add_directive("interactive-figure", InteractiveFigure)
    app.connect("html-page-context", _add_scripts)


def _opening(name: str) -> str:
    return f'<figure class="course-figure" data-figure="{escape(name)}"><div class="figure-stage">'


def _data_url(module: Path) -> str:
    return f"data:text/javascript;base64,{b64encode(module.read_bytes()).decode()}"


def _open(self: HTML5Translator, node: interactive_figure) -> None:
    up = "../" * self.builder.current_docname.count("/")
    width, height = node["size"]
    self.body.append(
        f'{_opening(node["name"])}\n<img src="{up}_static/figures/{node["name"]}.png" '
        f'alt="{escape(node["alt"])}" width="{width}" height="{height}" loading="lazy">\n'
        "</div>\n<figcaption>"
    )


def _close(self: HTML5Translator, node: interactive_figure) -> None:
    del node
    self.body.append("</figcaption>\n</figure>\n")


def _add_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give a page the modules of its figures, and a page without any nothing."""
    del pagename, templatename, context
    if doctree is None:
        return
    names = list(dict.fromkeys(node["name"] for node in doctree.findall(interactive_figure)))
    if names:
        folder = Path(app.srcdir) / FIGURES
        modules = modules_of(folder, names)
        for sheet in style_sheets(folder, modules):
            app.add_css_file(f"figures/{sheet}")
        app.add_js_file(None, body=import_map(folder, modules), type="importmap")
        app.add_js_file(None, body=imports(names), type="module")
