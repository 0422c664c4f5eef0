"""What may not be in a finished site."""

from __future__ import annotations

from pathlib import Path

import pytest
from coursebook.site_checks import check_site


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two pages that link to each other, a picture, a style sheet."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "a b.png").write_bytes(b"")
    (tmp_path / "_static" / "style.css").write_text("p { background: url('a b.png') }")
    (tmp_path / "index.html").write_text(
        '<h1 id="top">One</h1><a href="sub/two.html#here">two</a><a href="#top">up</a>'
        '<a href="#">nothing</a><a href="https://example.org/paper">paper</a>'
        '<a href="mailto:a@b.org">mail</a><img src="_static/a%20b.png?v=1" alt="A dot">'
        '<link rel="stylesheet" href="_static/style.css"><link rel="next" href="sub/two.html">'
    )
    (tmp_path / "sub" / "two.html").write_text(
        '<p id="here">Two</p><a href="../index.html">one</a>'
        '<img src="data:image/png;base64,AA" alt="Inside">'
    )
    return tmp_path


def found(site: Path, html: str) -> list[str]:
    """Problems of the second page with something added."""
    page = site / "sub" / "two.html"
    page.write_text(page.read_text() + html)
    return [str(problem) for problem in check_site(site)]


def test_good_site(site: Path) -> None:
    assert check_site(site) == []


HOST = "https://cdn.example"


@pytest.mark.parametrize(
    "html",
    [
        f'<script src="{HOST}/x"></script>',
        f'<link rel="stylesheet" href="{HOST}/x">',
        f'<link rel="shortcut icon" href="{HOST}/x">',
        f'<link rel="preconnect" href="{HOST}/x">',
        f'<img alt="a" src="{HOST}/x">',
        f'<img alt="a" src="../_static/a%20b.png" srcset="../_static/a%20b.png 1x, {HOST}/x 2x">',
        f'<iframe src="{HOST}/x"></iframe>',
        f'<video poster="{HOST}/x"></video>',
        f'<object data="{HOST}/x"></object>',
        f'<svg><image href="{HOST}/x"/></svg>',
        f'<svg><use xlink:href="{HOST}/x"/></svg>',
        f'<p style="background: url({HOST}/x)">a</p>',
        f"<style>@import '{HOST}/x';</style>",
        f'<meta http-equiv="Refresh" content="0; url={HOST}/x">',
    ],
)
def test_loading_from_another_host(site: Path, html: str) -> None:
    assert found(site, html) == [f"sub/two.html: loads {HOST}/x from another host"]


def test_other_ways_to_write_another_host(site: Path) -> None:
    assert found(site, '<script src="//cdn.example/x"></script>') == [
        "sub/two.html: loads //cdn.example/x from another host"
    ]


def test_style_sheet_that_loads_from_another_host(site: Path) -> None:
    (site / "_static" / "style.css").write_text(f"@font-face {{ src: url({HOST}/f.woff2) }}")

    assert [str(problem) for problem in check_site(site)] == [
        f"_static/style.css: loads {HOST}/f.woff2 from another host"
    ]


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ('<a href="three.html">', "no such file in the site"),
        ('<a href="../sub">', "no such file in the site"),
        ('<a href="../index.html#low">', "no element #low there"),
        ('<a href="#low">', "no element #low there"),
        ('<a href="/index.html">', "an absolute path works on one server only"),
        ('<script src="three.js"></script>', "no such file in the site"),
        ('<img src="three.png" alt="a">', "no such file in the site"),
    ],
)
def test_dead_links(site: Path, html: str, reason: str) -> None:
    problems = found(site, html)

    assert len(problems) == 1
    assert problems[0].startswith("sub/two.html: <")
    assert reason in problems[0]


def test_link_out_of_the_site(site: Path) -> None:
    outside = site.parent / "outside.html"
    outside.write_text("")

    assert "outside the site" in found(site, '<a href="../../outside.html">')[0]


@pytest.mark.parametrize("image", ['<img src="data:,">', '<img src="data:," alt=" ">'])
def test_images_without_text(site: Path, image: str) -> None:
    assert found(site, image) == ["sub/two.html: image 'data:,' has no alternative text"]


def test_quoted_urls_in_text_are_no_loading(site: Path) -> None:
    assert found(site, f"<pre>&lt;script src='{HOST}/x'&gt;</pre>") == []
