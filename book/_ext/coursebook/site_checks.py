"""Checks on the finished site: nothing from another host, no dead link, no image without text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from coursebook.problems import Problem

# What makes a browser fetch something by itself, in contrast to a link that a reader follows.
_LOADING = {
    "script": "src",
    "img": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "track": "src",
    "iframe": "src",
    "embed": "src",
    "object": "data",
    "input": "src",
}
_LOADING_RELS = {
    "stylesheet", "icon", "shortcut", "apple-touch-icon", "preload", "prefetch", "modulepreload",
    "preconnect", "dns-prefetch", "manifest", "mask-icon",
}  # fmt: skip
_OTHER_HOST = re.compile(r"^\s*(?:https?:|wss?:)?//", re.IGNORECASE)
_CSS_URL = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""", re.IGNORECASE)
_REFRESH_URL = re.compile(r"url\s*=\s*([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class _HtmlFile:
    """One page of the site, parsed."""

    path: Path
    soup: BeautifulSoup

    @cached_property
    def anchors(self) -> set[str]:
        return {
            str(tag[name])
            for tag in self.soup.find_all(True)
            for name in ("id", "name")
            if tag.has_attr(name)
        }


def check_site(site: Path) -> list[Problem]:
    """Look through every page and style sheet of a site.

    Args:
        site: its top folder.

    Returns:
        What is wrong, in the order of the files' names; empty if all is well.
    """
    files = {
        path: _HtmlFile(path, BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser"))
        for path in sorted(site.rglob("*.html"))
        # Files that an extension copies along are no pages.
        if "_static" not in path.relative_to(site).parts
    }
    problems: list[Problem] = []
    for file in files.values():
        where = file.path.relative_to(site).as_posix()
        problems += [Problem(where, what) for what in _from_other_hosts(file.soup)]
        problems += [Problem(where, what) for what in _dead_links(file, files, site)]
        problems += [Problem(where, what) for what in _images_without_text(file.soup)]
    for sheet in sorted(site.rglob("*.css")):
        where = sheet.relative_to(site).as_posix()
        problems += [
            Problem(where, f"loads {url} from another host")
            for url in _css_urls(sheet.read_text(encoding="utf-8"))
            if _OTHER_HOST.match(url)
        ]
    return problems


def _from_other_hosts(soup: BeautifulSoup) -> list[str]:
    """What the page would fetch from elsewhere as soon as it is opened."""
    urls: list[str] = []
    for tag in soup.find_all(True):
        urls += _loaded_by(tag)
    return [f"loads {url} from another host" for url in urls if _OTHER_HOST.match(url)]


def _loaded_by(tag: Tag) -> list[str]:
    urls: list[str] = []
    attribute = _LOADING.get(tag.name)
    if attribute and tag.has_attr(attribute):
        urls.append(str(tag[attribute]))
    if tag.has_attr("srcset"):
        urls += [part.split()[0] for part in str(tag["srcset"]).split(",") if part.strip()]
    if tag.has_attr("poster"):
        urls.append(str(tag["poster"]))
    if tag.name == "link" and _LOADING_RELS & set(tag.get("rel") or []):
        urls.append(str(tag.get("href", "")))
    if tag.name in ("image", "use"):  # inside SVG
        urls += [str(tag[name]) for name in ("href", "xlink:href") if tag.has_attr(name)]
    if tag.name == "meta" and str(tag.get("http-equiv", "")).lower() == "refresh":
        urls += _REFRESH_URL.findall(str(tag.get("content", "")))
    if tag.name == "style":
        urls += _css_urls(tag.get_text())
    if tag.has_attr("style"):
        urls += _css_urls(str(tag["style"]))
    return urls


def _css_urls(css: str) -> list[str]:
    return [first or second for first, second in _CSS_URL.findall(css)]


def _dead_links(file: _HtmlFile, files: dict[Path, _HtmlFile], site: Path) -> list[str]:
    """Links into the site whose file, or place in it, does not exist."""
    dead: list[str] = []
    for tag in file.soup.find_all(True):
        for name in ("href", "src"):
            if not tag.has_attr(name):
                continue
            url = urlsplit(str(tag[name]).strip())
            if url.scheme or url.netloc:
                continue
            reason = _why_dead(url.path, url.fragment, file, files, site)
            if reason:
                dead.append(f"<{tag.name} {name}={tag[name]!r}>: {reason}")
    return dead


def _why_dead(
    path: str, fragment: str, file: _HtmlFile, files: dict[Path, _HtmlFile], site: Path
) -> str | None:
    target = file.path
    if path:
        if path.startswith("/"):
            return "an absolute path works on one server only; write it relative to the page"
        target = (file.path.parent / unquote(path)).resolve()
        if not target.is_file():
            return "no such file in the site"
        if not target.is_relative_to(site.resolve()):
            return "outside the site"
    page = files.get(site / target.relative_to(site.resolve())) if path else file
    if fragment and page is not None and unquote(fragment) not in page.anchors:
        return f"no element #{fragment} there"
    return None


def _images_without_text(soup: BeautifulSoup) -> list[str]:
    return [
        f"image {str(image.get('src', ''))[:80]!r} has no alternative text"
        for image in soup.find_all("img")
        if not str(image.get("alt", "")).strip()
    ]
