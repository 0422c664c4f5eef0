"""The `{exercise-card}` directive: a sheet's title, points and time, with its notebook to download.

````md
```{exercise-card} iou-nms
```
````
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from coursebook.header import sheet_download
from coursebook.problems import BookError
from coursebook.sheets import Sheet, find_sheets


class ExerciseCard(SphinxDirective):
    """Show one released sheet. With `:page:` it stands on the sheet's own page."""

    required_arguments = 1
    option_spec: ClassVar = {"page": directives.flag}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        try:
            sheets = find_sheets(Path(self.config.coursebook_release))
        except BookError as error:
            raise self.error(str(error)) from error
        if name not in sheets:
            raise self.error(
                f"no released sheet {name!r}; released are: {', '.join(sheets) or 'none'}"
            )
        sheet = sheets[name]
        on_own_page = "page" in self.options
        card = nodes.container(classes=["exercise-card"])
        if not on_own_page:
            card += nodes.paragraph("", f"Exercises: {sheet.title}", classes=["exercise-title"])
        facts = nodes.paragraph(classes=["exercise-facts"])
        for fact in (sheet.points_text, f"about {sheet.minutes} minutes"):
            facts += nodes.inline("", fact)
        card += facts
        links = nodes.paragraph(classes=["exercise-links"])
        links += self._download(sheet)
        if not on_own_page:
            links += self._page_link(sheet)
        elif name in self.env.found_docs:
            links += self._chapter_link(sheet)
        links += self._launch(sheet)
        card += links
        self.set_source_info(card)
        return [card]

    def _download(self, sheet: Sheet) -> nodes.Node:
        up = "../" * self.env.docname.count("/")
        uri = escape(f"{up}{sheet_download(sheet.name)}")
        # Written out: Sphinx's own node for downloads would publish a second copy.
        link = f'<a class="exercise-download" href="{uri}" download>Download the notebook</a>'
        return nodes.raw("", link, format="html")

    def _launch(self, sheet: Sheet) -> list[nodes.Node]:
        links = self.config.coursebook_publication.launch_links(sheet_download(sheet.name))
        return [
            nodes.reference("", f"Open in {host}", refuri=uri, internal=False)
            for host, uri in links.items()
        ]

    def _page_link(self, sheet: Sheet) -> nodes.Node:
        return self._document_link(f"/exercises/{sheet.name}", "Read the sheet")

    def _chapter_link(self, sheet: Sheet) -> nodes.Node:
        return self._document_link(f"/{sheet.name}", "Read the chapter")

    def _document_link(self, target: str, text: str) -> nodes.Node:
        # Resolved by Sphinx, which warns if there is no such page.
        return addnodes.pending_xref(
            "",
            nodes.inline("", text),
            refdoc=self.env.docname,
            refdomain="std",
            reftype="doc",
            reftarget=target,
            refexplicit=True,
            refwarn=True,
        )
