"""What readers fetch is small, and crisp on fine screens."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from coursebook.images import _mark_wide, as_webp
from coursebook.site import build_site
from coursebook.staging import Sources
from coursebook.weight import drop_search_scripts, drop_unused_icons
from docutils import nodes
from PIL import Image
from tiny_book import TinyBook

CHART = """
```{code-cell} python
---
mystnb:
  image:
    alt: A rising line.
---
import matplotlib.pyplot as plt

plt.figure(figsize=(3, 2))
plt.plot([1, 2]);
```
"""
LIBRARY = """\
(()=>{var fas={"sun":[512,512,[9728],"f185","M1 2z"],stop:[384,512,["halt"],"f04d",["M1z","M2z"]],\
"2":[320,512,[],"32","M3z"]};draw(fas)})()
"""


@pytest.mark.filterwarnings("ignore:`torch.distributed.reduce_op`:FutureWarning")
def test_a_chart_has_two_pixels_for_one_of_the_page(tiny_book: TinyBook) -> None:
    tiny_book.add_to_chapter(CHART)
    build_site(Sources(tiny_book.root, tiny_book.release), tiny_book.site)

    page = BeautifulSoup(tiny_book.published("overlap.html"), "html.parser")
    shown = page.find("img", alt="A rising line.")
    assert shown is not None
    assert str(shown["src"]).endswith(".webp")
    with Image.open(tiny_book.site / str(shown["src"])) as picture:
        style = re.fullmatch(r"width: (\d+)px;?", str(shown["style"]))
        assert style is not None
        assert abs(picture.width - 2 * int(style[1])) <= 1
    assert list((tiny_book.site / "_images").glob("*.png")) == []


def decoded(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture).astype(int)


def test_few_colours_stay_as_they_are(tmp_path: Path) -> None:
    chart = np.zeros((40, 70, 4), dtype=np.uint8)
    chart[10:20, 5:60] = (200, 30, 90, 255)
    chart[30:, :] = (10, 120, 70, 128)
    Image.fromarray(chart).save(tmp_path / "chart.png")

    assert (decoded(as_webp(tmp_path / "chart.png")) == chart).all()


def test_a_photograph_loses_what_is_not_seen(tmp_path: Path) -> None:
    from skimage.data import astronaut

    photograph = astronaut()
    Image.fromarray(photograph).save(tmp_path / "photograph.png")

    content = as_webp(tmp_path / "photograph.png")

    assert len(content) < (tmp_path / "photograph.png").stat().st_size / 4
    error = ((decoded(content) - photograph) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 35  # decibels: hardly to be seen


def test_icons_that_nobody_shows_go(tmp_path: Path) -> None:
    library = tmp_path / "_static" / "scripts" / "fontawesome.js"
    library.parent.mkdir(parents=True)
    library.write_text(LIBRARY)
    (tmp_path / "page.html").write_text('<i class="fa-solid fa-halt"></i>')

    drop_unused_icons(tmp_path)

    assert library.read_text() == (
        '(()=>{var fas={stop:[384,512,["halt"],"f04d",["M1z","M2z"]],};draw(fas)})()\n'
    )


def test_scripts_name_icons_too(tmp_path: Path) -> None:
    library = tmp_path / "_static" / "scripts" / "fontawesome.js"
    library.parent.mkdir(parents=True)
    library.write_text(LIBRARY)
    (library.parent / "theme.js").write_text('icon.className = "fa-solid fa-sun"')

    drop_unused_icons(tmp_path)

    assert "M1 2z" in library.read_text()
    assert "M3z" not in library.read_text()


def test_only_the_page_of_results_loads_the_index(tmp_path: Path) -> None:
    scripts = (
        '    <script src="../_static/searchtools.js"></script>\n'
        '    <script src="../searchindex.js"></script>\n'
    )
    own = '    <script src="../_static/search-from-file.js?v=1"></script>\n'
    for name in ("page.html", "search.html"):
        (tmp_path / name).write_text(scripts + own)

    drop_search_scripts(tmp_path)

    assert (tmp_path / "page.html").read_text() == own
    assert (tmp_path / "search.html").read_text() == scripts + own


@pytest.mark.parametrize(
    ("width", "classes"),
    [("1068", ["wide-picture"]), ("1068px", ["wide-picture"]), ("716", []), ("50%", []), ("", [])],
)
def test_a_wide_picture_is_marked(width: str, classes: list[str]) -> None:
    picture = nodes.image(width=width) if width else nodes.image()
    _mark_wide(picture)

    assert picture["classes"] == classes
