"""No answer and no hidden test in anything that a student or reader can get.

Every line of every solution and hidden-test region of every sheet is looked for in the built site
(`_sources` and downloads included) and in the bundle, whatever its markup or its spaces.
"""

import html
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.cells import is_manual, region_lines
from autograder.repository import REPOSITORY
from autograder.sheets import Sheet, load_sheets

SITE = REPOSITORY / "build" / "html"
BUNDLE = REPOSITORY / "build" / "bundle.zip"

# Shorter lines ("kept = []") say nothing about the answer and stand in any code.
MIN_CHARACTERS = 12
TEXT_SUFFIXES = {".html", ".ipynb", ".md", ".txt", ".js", ".json", ".py", ".yaml", ".toml", ".css"}


def secret_lines(sheets: list[Sheet]) -> set[str]:
    """Lines that must not get out, without their spaces; those that are public anyway excluded."""
    secret, public = set(), []
    for cell in (cell for sheet in sheets for cell in sheet.notebook.cells):
        lines = cell.source.split("\n")
        hidden = set(region_lines(cell.source, "SOLUTION"))
        hidden |= set(region_lines(cell.source, "HIDDEN TESTS"))
        if is_manual(cell) and not hidden:
            hidden = set(range(1, len(lines) + 1))
        for number, line in enumerate(lines, start=1):
            if number in hidden:
                secret.add(squeezed(line))
            else:
                public.append(squeezed(line))
    imports = re.compile(r"import\w|from\w+import")
    known = "\n".join(public)
    return {
        line
        for line in secret
        if len(line) >= MIN_CHARACTERS
        and line not in known
        and not imports.match(line)
        and not line.startswith("#")
    }


def squeezed(text: str) -> str:
    return "".join(text.split())


def texts(name: str, content: bytes) -> Iterator[str]:
    """What a file says: raw, and as a person sees it."""
    raw = content.decode("utf-8", errors="replace")
    yield raw
    if name.endswith(".html"):
        yield html.unescape(re.sub(r"<[^>]*>", "", raw))
    if name.endswith(".ipynb"):
        cells = json.loads(raw)["cells"]
        yield "\n".join("".join(cell["source"]) for cell in cells)
        yield json.dumps([cell.get("outputs", []) for cell in cells], ensure_ascii=False)


def leaks(name: str, content: bytes, secret: set[str]) -> list[str]:
    found = squeezed("\n".join(texts(name, content)))
    return sorted(line for line in secret if line in found)


def site_files() -> Iterator[tuple[str, bytes]]:
    assert SITE.is_dir(), "no build/html: run 'make book'"
    for path in sorted(SITE.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(SITE)), path.read_bytes()


def bundle_files() -> Iterator[tuple[str, bytes]]:
    assert BUNDLE.is_file(), "no build/bundle.zip: run 'make bundle'"
    with zipfile.ZipFile(BUNDLE) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


@pytest.mark.parametrize("files", [site_files, bundle_files])
def test_no_answer_and_no_hidden_test_is_published(files):
    secret = secret_lines(load_sheets([]))
    assert len(secret) > 50
    scanned = 0
    for name, content in files():
        if Path(name).suffix in TEXT_SUFFIXES:
            scanned += 1
            assert leaks(name, content, secret) == [], name
        else:
            assert not name.endswith((".zip", ".tar", ".gz")), (
                f"{name}: an archive nobody looks into"
            )
    assert scanned > 5


def test_the_search_sees_through_markup_and_spaces():
    line = squeezed("kept = order[survives[order]]")
    page = b"<pre><span>kept</span> <b>=</b> order[survives[\n order]]</pre>"
    assert leaks("page.html", page, {line}) == [line]
    notebook = {"cells": [{"source": ["x\n", "    kept = order[survives[order]]"], "outputs": []}]}
    assert leaks("a.ipynb", json.dumps(notebook).encode(), {line}) == [line]
    assert leaks("a.py", b"kept = order[other[order]]", {line}) == []


def test_the_source_itself_would_be_caught():
    secret = secret_lines(load_sheets(["iou-nms"]))
    source = REPOSITORY / "solutions" / "iou-nms" / "iou-nms.md"
    assert leaks("iou-nms.md", source.read_bytes(), secret) == sorted(secret)
