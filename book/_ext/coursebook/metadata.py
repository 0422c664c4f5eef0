"""What a search engine, and a chat that shows a link to a page, are told about the page."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

SOCIAL_CARD = "_static/social-card.png"  # in the site; `make pictures` takes it
_CARD_SIZE = (1200, 630)
_CARD_ALT = "The book's title, and a scene whose things have boxes, labels and masks"
_LONGEST = 200  # characters; most who show a description cut it about there
_SENTENCE_END = re.compile(r"[.;!?](?=\s|$)")


def describe_page(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Add tags to a page's head; those with an address only if the site has one."""
    del templatename
    if doctree is None:
        return
    title = _plain(context["title"])
    is_root = pagename == app.config.root_doc
    named = {"description": description(doctree)}
    properties = {
        "og:type": "website" if is_root else "article",
        "og:title": title,
        "og:site_name": app.config.html_title,
        "og:description": named["description"],
    }
    if site := app.config.coursebook_publication.site:
        properties |= {
            "og:url": f"{site}{app.builder.get_target_uri(pagename)}",
            "og:image": f"{site}{SOCIAL_CARD}",
            "og:image:width": str(_CARD_SIZE[0]),
            "og:image:height": str(_CARD_SIZE[1]),
            "og:image:alt": _CARD_ALT,
        }
        named["twitter:card"] = "summary_large_image"
    context["metatags"] += "".join(
        f'\n<meta {attribute}="{name}" content="{escape(content)}">'
        for attribute, tags in (("name", named), ("property", properties))
        for name, content in tags.items()
        if content
    )


def description(doctree: nodes.document) -> str:
    """The page's first paragraph, with the list that it introduces, cut at the end of a sentence.

    Args:
        doctree: the page.

    Returns:
        Plain text of at most 200 characters; empty if the page has no text.
    """
    paragraph = next(
        (
            node
            for node in doctree.findall(nodes.paragraph)
            if isinstance(node.parent, nodes.section)
        ),
        None,
    )
    if paragraph is None:
        return ""
    text = paragraph.astext()
    following = paragraph.next_node(descend=False, siblings=True)
    if not _SENTENCE_END.search(text) and isinstance(following, nodes.bullet_list):
        text = " ".join([text, *(item.astext() for item in following)])
    return _cut(" ".join(text.split()))


def _cut(text: str) -> str:
    """Shorten a text to whole sentences, or to whole words where the first one is too long.

    >>> _cut("One thing; another. " + "And so on. " * 20)[:20]
    'One thing; another. '
    >>> _cut("word " * 50)[-10:]
    'word word…'
    """
    if len(text) <= _LONGEST:
        return text
    ends = [end.end() for end in _SENTENCE_END.finditer(text) if end.end() <= _LONGEST]
    if ends:
        return f"{text[: ends[-1] - 1]}." if text[ends[-1] - 1] == ";" else text[: ends[-1]]
    return f"{text[: _LONGEST - 1].rpartition(' ')[0]}…"


def _plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))
