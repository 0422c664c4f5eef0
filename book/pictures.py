"""Take the pictures of the book that come from a browser: `make pictures`, after `make book`.

These are the README's picture of a page, the card that stands beside a link to the book, and the
still pictures that stand for the interactive figures where no script runs.
"""

import argparse
import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from tqdm import tqdm

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE / "_ext"))

import social_card  # noqa: E402
from coursebook.interactive import FIGURES, STILL_SCALE, figure_names, standalone  # noqa: E402
from coursebook.metadata import SOCIAL_CARD  # noqa: E402

_ROOT = _HERE.parent
_README = "readme"
_CARD = "social-card"
_PAGE = _ROOT / "build" / "html" / "iou-nms.html"
_COLUMN = 736  # pixels, the width of a page's text on a wide screen
_MARGIN = 12  # pixels around a still picture
_COLOURS = 128  # of a still picture: a file of a third of the size, and no difference to be seen


def take_readme(browser: Browser) -> None:
    """Save what shows of a page, wide and light."""
    page = browser.new_page(viewport={"width": 1280, "height": 960}, color_scheme="light")
    page.goto(_PAGE.as_uri())
    page.wait_for_selector("mjx-container")
    page.evaluate("window.scrollTo(0, 480)")
    page.wait_for_timeout(500)
    page.screenshot(path=_HERE / "_static" / f"{_README}.png")
    page.close()


def take_card(browser: Browser) -> None:
    """Save the card, in as few colours as it can do with: it is fetched for every link."""
    width, height = social_card.SIZE
    page = browser.new_page(viewport={"width": width, "height": height})
    logo = (_HERE / "_static" / "logo.svg").read_text(encoding="utf-8")
    page.set_content(social_card.page(logo))
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.quantize(256).save(_HERE / SOCIAL_CARD, optimize=True)
    page.close()


def take_still(browser: Browser, name: str) -> None:
    """Save a figure as it is at first, without what only a reader at a screen can use."""
    folder = _HERE / FIGURES
    page = browser.new_page(
        viewport={"width": _COLUMN, "height": 900}, device_scale_factor=STILL_SCALE
    )
    page.emulate_media(media="print", color_scheme="light")
    page.set_content(standalone(folder, name))
    page.add_style_tag(content=f".figure-stage {{ padding: {_MARGIN}px }}")
    page.wait_for_selector("[data-ready]")
    taken = Image.open(io.BytesIO(page.locator(".figure-stage").screenshot())).convert("RGB")
    taken.quantize(_COLOURS, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)
    page.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Take all pictures, or those that are named."""
    figures = figure_names(_HERE / FIGURES)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{_README}, {_CARD} or a figure: {', '.join(figures)} (default: all)",
    )
    names = parser.parse_args(arguments).names or [_README, _CARD, *figures]
    unknown = sorted(set(names) - {_README, _CARD, *figures})
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or (_README in names and not _PAGE.is_file()):
        print("Chromium and a built book are needed: make book", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in tqdm(names, unit="picture"):
            if name == _README:
                take_readme(browser)
            elif name == _CARD:
                take_card(browser)
            else:
                take_still(browser, name)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
