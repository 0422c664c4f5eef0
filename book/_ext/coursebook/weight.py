"""Taken off a finished site: what readers would load for nothing."""

from __future__ import annotations

import re
from pathlib import Path

_LIBRARY = Path("_static", "scripts", "fontawesome.js")
_SEARCH = re.compile(
    r'^ *<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>\n',
    re.MULTILINE,
)
_USED = re.compile(r"\bfa-([a-z0-9-]+)")
# One icon in the library: its width, height, other names, code point and outlines.
_ICON = re.compile(
    r'"?(?P<name>[a-z0-9-]+)"?:'
    r'\[\d+,\d+,\[(?P<others>[^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\["[^"]*","[^"]*"\])\],?'
)


def drop_unused_icons(site: Path) -> None:
    """Take what is not used out of the script that draws the icons: 1.5 MB for every reader.

    Args:
        site: a finished site. Its pages and scripts name the icons, as `fa-NAME`.
    """
    library = site / _LIBRARY
    used: set[str] = set()
    for file in site.rglob("*"):
        if file.suffix in (".html", ".js") and file != library:
            used.update(_USED.findall(file.read_text(encoding="utf-8")))

    def kept(icon: re.Match[str]) -> str:
        names = {icon["name"], *re.findall(r'"([a-z0-9-]+)"', icon["others"])}
        return icon[0] if names & used else ""

    text = library.read_text(encoding="utf-8")
    library.write_text(_ICON.sub(kept, text), encoding="utf-8")


def drop_search_scripts(site: Path) -> None:
    """Leave the search's index to the page of results: 200 kB that the theme loads on all pages.

    Args:
        site: a finished site, whose search fields lead to `search.html`.
    """
    for page in site.rglob("*.html"):
        if page.name != "search.html" and "_static" not in page.relative_to(site).parts:
            text = page.read_text(encoding="utf-8")
            page.write_text(_SEARCH.sub("", text), encoding="utf-8")
