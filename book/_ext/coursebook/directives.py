"""MyST's directives, each written as plain Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING

from coursebook.citations import reference_list
from coursebook.header import FIGURES
from coursebook.inline import plain_inline

if TYPE_CHECKING:
    from coursebook.plain import Conversion

_CHOICE = re.compile(r"^- \[[ x]\] ")
_ARIA_LABEL = re.compile(r"""aria-label\s*=\s*(["'])(.*?)\1""", re.DOTALL)


@dataclass(frozen=True)
class Directive:
    """One directive as it stands on the page.

    Args:
        name: as in `{name}`.
        argument: the rest of its first line.
        options: its `:key: value` lines.
        body: its content, with directives of its own perhaps.
        line: 1-based line of the page where it begins.
        body_line: 1-based line where the content begins.
    """

    name: str
    argument: str
    options: dict[str, str]
    body: list[str]
    line: int
    body_line: int


def write_directive(directive: Directive, conversion: Conversion) -> list[str]:
    """Write one directive as plain Markdown.

    Args:
        directive: what stands on the page.
        conversion: the page and what it may refer to; collects problems.

    Returns:
        Lines of Markdown. A directive that is not known is reported, and its text kept.
    """
    writer = _WRITERS.get(directive.name)
    if writer is None:
        conversion.report(
            directive.line,
            f"directive {{{directive.name}}} has no form in plain Markdown; known are "
            f"{', '.join(sorted(_WRITERS))}",
        )
        return directive.body
    return writer(directive, conversion)


def _content(directive: Directive, conversion: Conversion) -> list[str]:
    return conversion.convert(directive.body, directive.body_line)


def _admonition(directive: Directive, conversion: Conversion) -> list[str]:
    """A quote under a bold title; folded away if the page folds it."""
    title = directive.argument if directive.name == "admonition" else _title(directive)
    inside = _content(directive, conversion)
    if directive.name != "admonition" and directive.argument:
        # `{note} text`: the first line belongs to the content.
        first = plain_inline(directive.argument, conversion, directive.line)
        inside = [first, *inside]
    title = plain_inline(title, conversion, directive.line)
    if "dropdown" in directive.options.get("class", "").split():
        return _folded(title, inside)
    return [f"> {line}".rstrip() for line in [f"**{title}**", "", *inside]]


def _title(directive: Directive) -> str:
    return {"seealso": "See also"}.get(directive.name, directive.name.capitalize())


def _dropdown(directive: Directive, conversion: Conversion) -> list[str]:
    title = plain_inline(directive.argument or "Show", conversion, directive.line)
    return _folded(title, _content(directive, conversion))


def _folded(title: str, inside: list[str]) -> list[str]:
    # Markdown inside HTML needs the empty lines.
    return ["<details>", f"<summary>{title}</summary>", "", *inside, "", "</details>"]


def _figure(directive: Directive, conversion: Conversion) -> list[str]:
    """The file does not travel with the notebook; what is to be seen on it does."""
    seen = directive.options.get("alt", "")
    if not seen:
        conversion.report(directive.line, f"{{{directive.name}}} without `:alt:`")
    return [f"*(Figure: {seen})*", "", *_content(directive, conversion)]


def _interactive_figure(directive: Directive, conversion: Conversion) -> list[str]:
    """The still picture, attached to the cell: scripts do not run in a notebook's Markdown."""
    alt = directive.options.get("alt", "")
    picture = conversion.attach(f"{FIGURES}/{directive.argument}.png", directive.line)
    caption = ["*In the book this figure can be moved.*", *_content(directive, conversion)]
    return [f"![{alt}](attachment:{picture})", "", *caption]


def _maths(directive: Directive, conversion: Conversion) -> list[str]:
    formula = [line for line in [directive.argument, *directive.body] if line.strip()]
    label = directive.options.get("label")
    tag = [f"\\tag{{{conversion.equations[label]}}}"] if label else []
    return ["$$", *formula, *tag, "$$"]


def _code_block(directive: Directive, conversion: Conversion) -> list[str]:
    del conversion
    return [f"```{directive.argument}", *directive.body, "```"]


def _exercise_card(directive: Directive, conversion: Conversion) -> list[str]:
    sheet = conversion.sheets.get(directive.argument)
    if sheet is None:
        conversion.report(directive.line, f"no released sheet {directive.argument!r}")
        return []
    return [
        f"> **Exercises: {sheet.title}**",
        ">",
        f"> {sheet.points_text}, about {sheet.minutes} minutes: "
        f"notebook [{sheet.name}.ipynb]({sheet.name}.ipynb)",
    ]


def _references(directive: Directive, conversion: Conversion) -> list[str]:
    del directive
    return reference_list(conversion.bibliography, conversion.cited)


def _raw(directive: Directive, conversion: Conversion) -> list[str]:
    """Scripts do not run in a notebook's Markdown: say what stands there."""
    if directive.argument != "html":
        conversion.report(directive.line, f"{{raw}} {directive.argument}: only html is known")
        return []
    label = _ARIA_LABEL.search("\n".join(directive.body))
    if label is None:
        conversion.report(
            directive.line,
            "raw HTML without `aria-label`: it stands for the figure where scripts do not run",
        )
        return []
    return [f"*(In the book an interactive figure stands here: {label.group(2).strip()})*"]


def _build_facts(directive: Directive, conversion: Conversion) -> list[str]:
    """Facts about the site, which a notebook is no part of."""
    del directive, conversion
    return ["*(In the book, tables of versions and times stand here.)*"]


def _question(directive: Directive, conversion: Conversion) -> list[str]:
    """The options as a list, and below, folded away, what is to be said about each."""
    starts = [at for at, line in enumerate(directive.body) if _CHOICE.match(line)]
    conversion.questions += 1
    written = [f"**Question {conversion.questions}**", ""]
    written += conversion.convert(
        directive.body[: starts[0] if starts else None], directive.body_line
    )
    answers: list[str] = []
    for letter, start, end in zip(ascii_lowercase, starts, [*starts[1:], None], strict=False):
        lines = [line.removeprefix("  ") for line in directive.body[start:end]]
        right, lines[0] = lines[0][3] == "x", lines[0][6:]
        lines = conversion.convert(lines, directive.body_line + start)
        gap = lines.index("") if "" in lines else len(lines)
        written.append(f"- **({letter})** {' '.join(lines[:gap])}")
        verdict = "**Right.** " if right else ""
        answers += ["", f"**({letter})** {verdict}{' '.join(lines[gap:]).strip()}"]
    return [*written, "", *_folded("Answer", answers[1:])]


def _list_table(directive: Directive, conversion: Conversion) -> list[str]:
    """`* - cell` begins a row, `  - cell` the next cell."""
    rows: list[list[str]] = []
    for offset, line in enumerate(directive.body):
        here = directive.body_line + offset
        if match := re.match(r"^\*\s+-\s?(.*)$", line):
            rows.append([match.group(1)])
        elif rows and (match := re.match(r"^\s+-\s?(.*)$", line)):
            rows[-1].append(match.group(1))
        elif rows and line.strip():
            rows[-1][-1] += " " + line.strip()
        elif line.strip():
            conversion.report(here, f"a row of a list-table begins with `* - `, not {line!r}")
    if not rows or len({len(row) for row in rows}) > 1:
        conversion.report(directive.line, "a list-table needs rows of equal length")
        return []
    written = [
        "| "
        + " | ".join(plain_inline(cell.strip(), conversion, directive.body_line) for cell in row)
        + " |"
        for row in rows
    ]
    title = plain_inline(directive.argument, conversion, directive.line)
    caption = [f"*{title}*", ""] if title else []
    return [*caption, written[0], "| " + " | ".join("---" for _ in rows[0]) + " |", *written[1:]]


def _glossary(directive: Directive, conversion: Conversion) -> list[str]:
    """A term at the margin, its meaning indented below."""
    written: list[str] = []
    for line in conversion.convert(directive.body, directive.body_line):
        if line.strip() and not line[0].isspace():
            written += [f"**{line.strip()}**", ""]
        else:
            written.append(line.strip())
    return written


_WRITERS: dict[str, Callable[[Directive, Conversion], list[str]]] = {
    **dict.fromkeys(
        (
            "admonition",
            "note",
            "tip",
            "hint",
            "important",
            "warning",
            "caution",
            "attention",
            "seealso",
        ),
        _admonition,
    ),
    "dropdown": _dropdown,
    "figure": _figure,
    "image": _figure,
    "interactive-figure": _interactive_figure,
    "math": _maths,
    "code-block": _code_block,
    "exercise-card": _exercise_card,
    "bibliography": _references,
    "footbibliography": _references,
    "build-facts": _build_facts,
    "question": _question,
    "raw": _raw,
    "list-table": _list_table,
    "glossary": _glossary,
}
