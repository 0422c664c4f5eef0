"""A browser, the built site, and one visit to every page of it in both ways of opening it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from figures import Figure, open_figure
from playwright.sync_api import Browser, sync_playwright
from tqdm import tqdm
from visits import Visit, pages_of, served, visit

REPOSITORY = Path(__file__).resolve().parents[2]
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
    folder = REPOSITORY / "build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail(f"no site in {folder}: run `make book` first")
    return folder


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
def bases(site: Path) -> Iterator[list[str]]:
    """The two ways to open the site: from a web server, and from a file."""
    with served(site) as address:
        yield [address, f"{site.as_uri()}/"]


@pytest.fixture(scope="session")
def visits(browser: Browser, bases: list[str], site: Path) -> list[Visit]:
    """Every page, opened both ways."""
    tasks = [(base, name) for base in bases for name in pages_of(site)]
    return [visit(browser, base, name) for base, name in tqdm(tasks, unit="page")]


@pytest.fixture
def figure(
    request: pytest.FixtureRequest, browser: Browser, site: Path, bases: list[str]
) -> Iterator[Figure]:
    """The figure that the test's module NAMEs, on a wide screen, on a page opened as a file."""
    with open_figure(browser, site, bases[1], request.module.NAME, 1280) as opened:
        yield opened


@pytest.fixture
def phone(
    request: pytest.FixtureRequest, browser: Browser, site: Path, bases: list[str]
) -> Iterator[Figure]:
    """The same on a phone, on a page from a server."""
    with open_figure(browser, site, bases[0], request.module.NAME, 360) as opened:
        yield opened
