"""One setting says where the book is published: links, addresses, and what is refused."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from coursebook.problems import BookError
from coursebook.publication import Publication, read_publication
from tiny_book import REPOSITORY

NOTEBOOK = "downloads/book-overlap.ipynb"
HOSTS = {
    "colab_url": "https://colab.research.google.com",
    "binderhub_url": "https://mybinder.org",
    "jupyterhub_url": "https://hub.example.edu/",
}


def settings(folder: Path, url: str = "", baseurl: str = "", **hosts: str) -> Path:
    path = folder / "_config.yml"
    settings = {
        "repository": {"url": url},
        "html": {"baseurl": baseurl},
        "launch_buttons": hosts,
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def read(folder: Path, url: str = "", **more: str) -> Publication:
    return read_publication(settings(folder, url, **more), {})


def test_the_book_as_it_is_has_no_repository() -> None:
    publication = read_publication(REPOSITORY / "_config.yml", {})
    assert publication.repository == publication.site == ""
    assert publication.launch_links(NOTEBOOK) == {}


def test_links_of_a_repository_on_github(tmp_path: Path) -> None:
    links = read(tmp_path, "https://github.com/owner/repo", **HOSTS).launch_links(NOTEBOOK)
    assert list(links) == ["Colab", "Binder", "JupyterHub"]
    assert links["Colab"] == (
        f"https://colab.research.google.com/github/owner/repo/blob/gh-pages/{NOTEBOOK}"
    )
    assert links["Binder"].startswith("https://mybinder.org/v2/gh/owner/repo/main?urlpath=")
    assert links["JupyterHub"].startswith("https://hub.example.edu/hub/user-redirect/git-pull?")


def test_binder_and_hub_pull_the_notebooks_from_the_published_branch(tmp_path: Path) -> None:
    links = read(tmp_path, "https://github.com/owner/repo", **HOSTS).launch_links(NOTEBOOK)
    inner = parse_qs(urlsplit(links["Binder"]).query)["urlpath"][0]
    assert inner.startswith("git-pull?")
    expected = {
        "repo": ["https://github.com/owner/repo"],
        "branch": ["gh-pages"],
        "targetPath": ["repo-notebooks"],
        "urlpath": [f"lab/tree/repo-notebooks/{NOTEBOOK}"],
    }
    assert parse_qs(urlsplit(inner).query) == expected
    assert parse_qs(urlsplit(links["JupyterHub"]).query) == expected


def test_another_host_gets_what_works_for_it(tmp_path: Path) -> None:
    publication = read(tmp_path, "https://gitlab.com/group/sub/repo.git", **HOSTS)
    links = publication.launch_links(NOTEBOOK)
    assert list(links) == ["Binder", "JupyterHub"]
    assert links["Binder"].startswith(
        "https://mybinder.org/v2/git/https%3A%2F%2Fgitlab.com%2Fgroup%2Fsub%2Frepo/main?"
    )
    assert publication.site == ""


def test_a_host_without_an_address_is_not_offered(tmp_path: Path) -> None:
    publication = read(tmp_path, "https://github.com/owner/repo", jupyterhub_url="")
    assert publication.launch_links(NOTEBOOK) == {}


@pytest.mark.parametrize("written", ["", "/", ".git", ".git/"])
def test_the_address_may_end_as_git_has_it(tmp_path: Path, written: str) -> None:
    publication = read(tmp_path, f"https://github.com/owner/my.repo{written}")
    assert publication.repository == "https://github.com/owner/my.repo"


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("https://github.com/Some-One/Course", "https://some-one.github.io/Course/"),
        ("https://github.com/some-one/some-one.github.io", "https://some-one.github.io/"),
    ],
)
def test_the_address_of_the_site(tmp_path: Path, repository: str, site: str) -> None:
    assert read(tmp_path, repository).site == site
    own = read(tmp_path, repository, baseurl="https://example.edu/book")
    assert own.site == "https://example.edu/book/"


def test_the_environment_wins_unless_it_is_empty(tmp_path: Path) -> None:
    path = settings(tmp_path, "https://github.com/owner/repo")
    fork = {"BOOK_REPOSITORY": "https://github.com/fork/repo"}
    assert read_publication(path, fork).repository == "https://github.com/fork/repo"
    empty = {"BOOK_REPOSITORY": ""}
    assert read_publication(path, empty).repository == "https://github.com/owner/repo"


@pytest.mark.parametrize(
    "wrong",
    [
        "owner/repo",
        "git@github.com:owner/repo.git",
        "https://github.com/owner",
        "https://github.com/owner/repo/tree/main",
        "https://github.com/owner/a repo",
        "https://github.com/owner/repo?tab=readme",
    ],
)
def test_what_is_no_repository_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BookError, match=r"_config\.yml: repository\.url: .* is not like https"):
        read(tmp_path, wrong)
    with pytest.raises(BookError, match=r"environment: BOOK_REPOSITORY: .* is not like https"):
        read_publication(settings(tmp_path), {"BOOK_REPOSITORY": wrong})


@pytest.mark.parametrize("key", [*HOSTS, "baseurl"])
def test_what_is_no_address_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(BookError, match=rf"{key}: 'hub\.example\.edu' is not like https"):
        read(tmp_path, **{key: "hub.example.edu"})
