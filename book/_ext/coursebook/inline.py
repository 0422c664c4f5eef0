"""MyST's roles and links inside a paragraph, written as Markdown that any viewer knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from coursebook.citations import author_year

if TYPE_CHECKING:
    from coursebook.plain import Conversion

# One pass from left to right, so that what stands in code or in a formula is left alone.
_INLINE = re.compile(
    r"""
      \{(?P<role>[\w:.+-]+)\}(?P<ticks>`+)(?P<content>.+?)(?P=ticks)(?!`)
    | (?P<code>(?P<fence>`+)(?!`).+?(?<!`)(?P=fence)(?!`))
    | (?P<maths>\$\$.+?\$\$|\$(?!\s)[^$]+?(?<!\s)\$)
    | (?P<image>!\[[^\]]*\]\([^)]*\))
    | \[(?P<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?P<target>[^)\s]+)\)
    """,
    re.VERBOSE | re.DOTALL,
)
_WITH_TARGET = re.compile(r"^(?P<text>.*?)\s*<(?P<target>[^<>]+)>$", re.DOTALL)
_ABBREVIATION = re.compile(r"^(?P<short>.*?)\s*\((?P<long>.*)\)$", re.DOTALL)
_OTHER_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def plain_inline(text: str, conversion: Conversion, line: int) -> str:
    """Write roles and links of some paragraphs as plain Markdown.

    Args:
        text: one or more lines of Markdown, without directives.
        conversion: the page and what it may refer to; collects problems.
        line: 1-based line of the page where `text` begins.

    Returns:
        The text as plain Markdown.
    """

    def replace(match: re.Match[str]) -> str:
        here = line + text.count("\n", 0, match.start())
        if match["role"]:
            return _role(match["role"], match["content"], conversion, here)
        if match["target"]:
            return _link(match["text"], match["target"], conversion, here)
        if match["image"] and not _OTHER_HOST.match(match["image"].partition("](")[2]):
            return f"*(Figure: {match['image'][2:].partition('](')[0]})*"
        return match.group()

    return _INLINE.sub(replace, text)


def _role(name: str, content: str, conversion: Conversion, line: int) -> str:
    writer = _ROLES.get(name)
    if writer is None:
        conversion.report(line, f"role {{{name}}} has no form in plain Markdown; {_known_roles()}")
        return content
    return writer(name, content, conversion, line)


def _known_roles() -> str:
    return f"known are {', '.join(sorted(_ROLES))}"


def _link(text: str, target: str, conversion: Conversion, line: int) -> str:
    """Links to pages go to their notebooks, links to labels to headings, others stay."""
    if _OTHER_HOST.match(target):
        return f"[{text}]({target})"
    name, _, label = target.partition("#")
    if not name:
        return _to_label(label, text, conversion, line)
    page = name.lstrip("/").removesuffix(".md").removesuffix(".ipynb").removesuffix(".html")
    return _to_page(page, text, conversion, line)


def _to_page(name: str, text: str, conversion: Conversion, line: int) -> str:
    title = conversion.pages.title(name)
    if title is None:
        conversion.report(line, f"link to {name!r}: there is no such page")
        return text
    text = text or title
    notebook = conversion.notebook_of(name)
    # A page without cells has no notebook: it can only be named.
    return f"[{text}]({notebook})" if notebook else f"*{text}*"


def _to_label(label: str, text: str, conversion: Conversion, line: int) -> str:
    own = conversion.page.heading_of(label)
    if own is not None:
        return f"[{text or own}](#{_anchor(own)})"
    found = conversion.pages.with_label(label)
    if found is not None:
        page, heading = found
        return _to_page(page.name, text or heading, conversion, line)
    if text:
        return f"*{text}*"  # a figure or a formula; Sphinx has checked that it exists
    conversion.report(line, f"link to {label!r}: no heading has this label; give it a text")
    return label


def _anchor(heading: str) -> str:
    """JupyterLab's anchors are the headings as displayed, with hyphens for spaces."""
    return quote(re.sub(r"[*`$]", "", heading).replace(" ", "-"), safe=":,'")


def _titled(content: str) -> tuple[str, str]:
    """Split `text <target>`; the text is empty if there is none."""
    match = _WITH_TARGET.match(content)
    return (match["text"], match["target"]) if match else ("", content)


def _document_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    del name
    text, target = _titled(content)
    return _to_page(target.lstrip("/"), text, conversion, line)


def _label_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    del name
    text, target = _titled(content)
    return _to_label(target, text, conversion, line)


def _equation_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    del name
    if content not in conversion.equations:
        conversion.report(line, f"no formula on this page has the label {content!r}")
    return f"({conversion.equations.get(content, '?')})"


def _cite_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    textual = name.endswith(":t")
    written = []
    for key in (part.strip() for part in content.split(",")):
        entry = conversion.bibliography.entries.get(key)
        if entry is None:
            conversion.report(line, f"no entry {key!r} in references.bib")
            continue
        conversion.cited.append(key)
        written.append(author_year(entry, textual=textual))
    return " and ".join(written) if textual else f"({'; '.join(written)})"


def _glue_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    del name
    key, _, form = content.partition(":")
    if conversion.glue is None:
        return "…"  # not run yet: this pass only looks for problems
    if key not in conversion.glue:
        conversion.report(line, f"no cell of this page glues {key!r}")
        return content
    value = conversion.glue[key].strip("'\"")
    return format(float(value), form) if form else value


def _abbreviation_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    del name, conversion, line
    match = _ABBREVIATION.match(content)
    return f'<abbr title="{match["long"]}">{match["short"]}</abbr>' if match else content


def _term_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    del name, conversion, line
    text, target = _titled(content)
    return text or target


def _tag(tag: str) -> Callable[[str, str, Conversion, int], str]:
    def write(name: str, content: str, conversion: Conversion, line: int) -> str:
        del name, conversion, line
        return f"<{tag}>{content}</{tag}>"

    return write


def _maths_role(name: str, content: str, conversion: Conversion, line: int) -> str:
    del name, conversion, line
    return f"${content}$"


_ROLES: dict[str, Callable[[str, str, Conversion, int], str]] = {
    "doc": _document_role,
    "ref": _label_role,
    "eq": _equation_role,
    **{f"{kind}{form}": _cite_role for kind in ("cite", "footcite") for form in ("", ":p", ":t")},
    "glue": _glue_role,
    "glue:text": _glue_role,
    "abbr": _abbreviation_role,
    "term": _term_role,
    "math": _maths_role,
    "sub": _tag("sub"),
    "sup": _tag("sup"),
    "kbd": _tag("kbd"),
}
