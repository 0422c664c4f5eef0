"""Take the README's picture of a page: `make picture`, after `make book`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

_ROOT = Path(__file__).resolve().parent.parent
_PAGE = _ROOT / "build" / "html" / "iou-nms.html"
_PICTURE = Path(__file__).resolve().parent / "_static" / "readme.png"


def main() -> int:
    """Open the page in Chromium, wide and light, and save what shows of it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not _PAGE.is_file():
        print("Chromium and a built book are needed: make book", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 960}, color_scheme="light")
        page.goto(_PAGE.as_uri())
        page.wait_for_selector("mjx-container")
        page.evaluate("window.scrollTo(0, 480)")
        page.wait_for_timeout(500)
        page.screenshot(path=_PICTURE)
        browser.close()
    print(_PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
