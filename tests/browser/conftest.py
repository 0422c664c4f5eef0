"""A browser, the built site in both ways of opening it, and its figures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from figures import Figure, mounted_again, open_page
from playwright.sync_api import Browser, Page, sync_playwright
from visits import pages_of, served

_SITE = Path(__file__).resolve().parents[2] / "build" / "html"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# A browser of its own account calls home, and in a container has neither sandbox nor graphics.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site."""
    if not (_SITE / "index.html").is_file():
        pytest.fail(f"no site in {_SITE}: run `make book` first")
    return _SITE


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as the machine has it."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(
            f"none of {', '.join(_NAMES)} is installed: `apt-get install chromium`, or from "
            "https://www.chromium.org"
        )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def bases(site: Path) -> Iterator[dict[str, str]]:
    """The two ways to open the site: from a web server, and from a file."""
    with served(site) as address:
        yield {"server": address, "file": f"{site.as_uri()}/"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for the name of a page is run for every page of the site."""
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", pages_of(_SITE))


@pytest.fixture(scope="module")
def desk(
    request: pytest.FixtureRequest, browser: Browser, site: Path, bases: dict[str, str]
) -> Iterator[Page]:
    """The page of the figure that the module NAMEs, on a wide screen, opened as a file."""
    with open_page(browser, site, bases["file"], request.module.NAME, 1280) as page:
        yield page


@pytest.fixture
def figure(request: pytest.FixtureRequest, desk: Page) -> Figure:
    """The figure on that page, as it is at first."""
    return mounted_again(desk, request.module.NAME)


@pytest.fixture
def phone(
    request: pytest.FixtureRequest, browser: Browser, site: Path, bases: dict[str, str]
) -> Iterator[Figure]:
    """The same on a phone, on a page from a server, opened afresh."""
    with open_page(browser, site, bases["server"], request.module.NAME, 360) as page:
        yield Figure(page, request.module.NAME)
