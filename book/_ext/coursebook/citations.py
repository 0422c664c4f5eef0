"""Citations as plain text: "Girshick et al., 2014", and a list of references in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.plugin import find_plugin

_Style = find_plugin("pybtex.style.formatting", "plain")
_NEEDLESS_ESCAPE = re.compile(r"\\([-.()!+#])")
_Markdown = find_plugin("pybtex.backends", "markdown")


def read_bibliography(folder: Path) -> BibliographyData:
    """Read all `.bib` files of a folder.

    Args:
        folder: `book/`.

    Returns:
        Their entries.
    """
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.bib")):
        entries |= dict(parse_file(str(path), bib_format="bibtex").entries.items())
    return BibliographyData(entries)


def author_year(entry: Entry, *, textual: bool) -> str:
    """Write an entry as a reader would say it.

    Args:
        entry: with `author` (or `editor`) and `year`.
        textual: whether the authors are part of the sentence.

    Returns:
        "Girshick et al. (2014)" if textual, else "Girshick et al., 2014".

    >>> from pybtex.database import parse_string
    >>> bib = "@article{a, author={Ren, S. and He, K.}, year={2015}}"
    >>> author_year(parse_string(bib, "bibtex").entries["a"], textual=True)
    'Ren and He (2015)'
    """
    persons = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join([*person.prelast_names, *person.last_names]) for person in persons]
    names = [name.replace("{", "").replace("}", "") for name in names]
    if not names:
        names = [entry.fields.get("title", entry.key).replace("{", "").replace("}", "")]
    who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    year = entry.fields.get("year", "n.d.")
    return f"{who} ({year})" if textual else f"{who}, {year}"


def reference_list(bibliography: BibliographyData, keys: Iterable[str]) -> list[str]:
    """Write references out.

    Args:
        bibliography: from `read_bibliography`.
        keys: the entries wanted; repetitions count once.

    Returns:
        One Markdown bullet an entry, by author and year.
    """
    entries = [bibliography.entries[key] for key in dict.fromkeys(keys)]
    formatted = _Style().format_entries(entries)
    markdown = _Markdown()
    texts = [entry.text.render(markdown) for entry in formatted]
    # The backend escapes what could be Markdown at the start of a line, and breaks lines.
    texts = [" ".join(_NEEDLESS_ESCAPE.sub(r"\1", text).split()) for text in texts]
    return sorted(f"- {text}" for text in texts)
