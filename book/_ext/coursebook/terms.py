"""Links from the first use of a term on a page to its entry in the glossary, with the definition.

A term is found in its singular and plural, with hyphens for spaces, and with capitals at the start
of its words; not inside quotation marks, where somebody else speaks. The glossary's header lists
words that are `everyday` ones, too: these are linked only where a page sets them in bold, or says
so itself with the role `{term}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

GLOSSARY = "glossary"  # the page
_WITHOUT_LINKS = (GLOSSARY, "references", "exercises/")  # its own words, titles, what students get
_LOGGER = logging.getLogger(__name__)
_NO_TEXT = (
    nodes.footnote,
    nodes.literal,
    nodes.math,
    nodes.reference,
)


class term_link(nodes.Inline, nodes.TextElement):  # noqa: N801  # docutils names nodes so
    """A term in a sentence: the `uri` of its entry, and its `definition`."""


@dataclass(frozen=True)
class Entry:
    """What the glossary says of a term, and of its other names.

    Args:
        terms: all names.
        ids: the anchor of each.
        definition: the first paragraph.
    """

    terms: tuple[str, ...]
    ids: tuple[str, ...]
    definition: str


class Glossary:
    """The terms that pages link to.

    Args:
        entries: all of them.
        everyday: terms that are linked only where they stand alone in bold.
    """

    def __init__(self, entries: list[Entry], everyday: set[str]) -> None:
        self.entries = entries
        self._everyday = everyday
        self._terms = [(term, entry) for entry in entries for term in entry.terms]
        # Where two terms begin at the same place, the longer one is meant.
        self._terms.sort(key=lambda pair: -len(pair[0]))
        forms = "|".join(f"(?P<t{at}>{_forms(term)})" for at, (term, _) in enumerate(self._terms))
        self._pattern = re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])")

    def find(self, text: str, *, bold: bool) -> Iterator[tuple[re.Match[str], Entry]]:
        """The terms in a text, in order."""
        for match in self._pattern.finditer(text):
            term, entry = self._terms[int(str(match.lastgroup)[1:])]
            defined = bold and match.group() == text.strip(".:")
            if (defined or term not in self._everyday) and not _is_quoted(match):
                yield match, entry


def _forms(term: str) -> str:
    r"""A pattern for the forms of a term in a sentence.

    >>> _forms("skip connection")
    '[Ss]kip[\\s-][Cc]onnection(?:e?s)?'
    """
    words = (f"[{word[0].upper()}{word[0]}]{re.escape(word[1:])}" for word in term.split())
    return r"[\s-]".join(words) + "(?:e?s)?"


def _is_quoted(match: re.Match[str]) -> bool:
    return match.string.rfind("“", 0, match.start()) > match.string.rfind("”", 0, match.start())


class TermLinks:
    """Reads the glossary once, and links the pages to it."""

    def __init__(self) -> None:
        self._glossary: Glossary | None = None

    def connect(self, app: Sphinx) -> None:
        """Register node and script with Sphinx, and listen to the events of one build."""
        app.add_node(term_link, html=(_open, _close))
        app.connect("env-updated", self._read)
        app.connect("doctree-resolved", self._link)
        app.connect("html-page-context", _add_script)

    def _read(self, app: Sphinx, env: BuildEnvironment) -> None:
        del app
        if GLOSSARY not in env.found_docs:
            return
        (glossary,) = env.get_doctree(GLOSSARY).findall(addnodes.glossary)
        entries = [_entry(item) for item in glossary.findall(nodes.definition_list_item)]
        listed = env.metadata[GLOSSARY].get("everyday", "")
        everyday = {word.strip() for word in listed.split(",") if word.strip()}
        for word in sorted(everyday.difference(*(entry.terms for entry in entries))):
            _LOGGER.error(f"everyday word {word!r} is no term of the glossary", location=GLOSSARY)
        self._glossary = Glossary(entries, everyday)

    def _link(self, app: Sphinx, doctree: nodes.document, docname: str) -> None:
        if self._glossary is None or docname.startswith(_WITHOUT_LINKS):
            return
        page = app.builder.get_relative_uri(docname, GLOSSARY)
        linked: set[Entry] = set()

        def link_to(entry: Entry, text: str) -> term_link:
            linked.add(entry)
            uri = f"{page}#{entry.ids[0]}"
            return term_link("", text, uri=uri, definition=entry.definition)

        by_id = {name: entry for entry in self._glossary.entries for name in entry.ids}
        for reference in list(doctree.findall(_is_term_role)):
            entry = by_id[reference["refuri"].partition("#")[2]]
            reference.parent.replace(reference, link_to(entry, reference.astext()))
        for text in list(doctree.findall(_is_running_text)):
            bold = isinstance(text.parent, nodes.strong)
            new: list[nodes.Node] = []
            end = 0
            for match, entry in self._glossary.find(str(text), bold=bold):
                if entry not in linked:
                    new += [nodes.Text(text[end : match.start()]), link_to(entry, match.group())]
                    end = match.end()
            if new:
                text.parent.replace(text, [*new, nodes.Text(text[end:])])


def _entry(item: nodes.definition_list_item) -> Entry:
    """Read one entry. What pages show of it is an attribute, so it has to be in words."""
    terms = list(item.findall(nodes.term))
    definition = next(item.findall(nodes.definition))[0]
    if any(definition.findall(nodes.math)):
        what = f"the first paragraph on {terms[0].astext()!r} has maths: no page can show it"
        _LOGGER.error(what, location=terms[0])
    return Entry(
        terms=tuple(term.astext() for term in terms),
        ids=tuple(term["ids"][0] for term in terms),
        definition=definition.astext(),
    )


def _is_term_role(node: nodes.Node) -> bool:
    """What Sphinx makes of `{term}`: a link around a text of this class."""
    return isinstance(node, nodes.reference) and any(
        "std-term" in inner["classes"] for inner in node.findall(nodes.inline)
    )


def _is_running_text(node: nodes.Node) -> bool:
    """Whether a text stands in a sentence: of a paragraph, a list, a table, a caption."""
    if not isinstance(node, nodes.Text):
        return False
    in_paragraph = False
    while (node := node.parent) is not None:
        if isinstance(node, _NO_TEXT) or "exercise-card" in node.get("classes", []):
            return False
        in_paragraph = in_paragraph or isinstance(node, (nodes.paragraph, nodes.caption))
    return in_paragraph


def _open(self: HTML5Translator, node: term_link) -> None:
    uri, definition = escape(node["uri"]), escape(node["definition"])
    self.body.append(f'<a class="term" href="{uri}" data-definition="{definition}">')


def _close(self: HTML5Translator, node: term_link) -> None:
    del node
    self.body.append("</a>")


def _add_script(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    del pagename, templatename, context
    if doctree is not None and any(doctree.findall(term_link)):
        app.add_js_file("terms.js", loading_method="defer")
