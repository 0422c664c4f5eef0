"""Where the book is published: its repository, its site, the hosts that run its notebooks.

Everything follows from one setting, `repository.url` in `_config.yml`, which the environment
variable `BOOK_REPOSITORY` overrides: a fork publishes with its own links, without a commit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from coursebook.problems import BookError, Problem

REPOSITORY_VARIABLE = "BOOK_REPOSITORY"
PUBLISHED = "gh-pages"  # the branch that the workflow pushes the built site to
_GITHUB = "https://github.com/"
_REPOSITORY = re.compile(r"(https://[\w.-]+(?::\d+)?(?:/[\w.-]+?){2,}?)(?:\.git)?/?")
_ADDRESS = re.compile(r"https?://[^\s/?#]+[^\s?#]*")


@dataclass(frozen=True)
class Publication:
    """What a page has to know about the world outside.

    Args:
        repository: address of the repository, without `.git`; empty if there is none.
        branch: the branch with the sources.
        site: address of the site's top folder, with a slash at its end; empty if not known.
        colab: address of Colab; like the next two, empty if no link should lead there.
        binderhub: address of a BinderHub.
        jupyterhub: address of a JupyterHub that has nbgitpuller.
    """

    repository: str = ""
    branch: str = ""
    site: str = ""
    colab: str = ""
    binderhub: str = ""
    jupyterhub: str = ""

    def launch_links(self, notebook: str) -> dict[str, str]:
        """Addresses that open a notebook of the site where it can be run.

        Args:
            notebook: its path in the site.

        Returns:
            Addresses by the name of the host; none without a repository.

        >>> book = Publication("https://github.com/o/r", "main", colab="https://c.example")
        >>> book.launch_links("downloads/a.ipynb")
        {'Colab': 'https://c.example/github/o/r/blob/gh-pages/downloads/a.ipynb'}
        """
        if not self.repository:
            return {}
        links = {}
        github = self.repository.removeprefix(_GITHUB)
        on_github = github != self.repository
        if self.colab and on_github:  # Colab opens from no other host
            links["Colab"] = f"{self.colab}/github/{github}/blob/{PUBLISHED}/{quote(notebook)}"
        # A name of its own: on Binder the clone lies among the files of the sources.
        folder = f"{self.repository.rpartition('/')[2]}-notebooks"
        pull = "git-pull?" + urlencode(
            {
                "repo": self.repository,
                "branch": PUBLISHED,
                "targetPath": folder,
                "urlpath": f"lab/tree/{folder}/{notebook}",
            }
        )
        if self.binderhub:
            source = f"gh/{github}" if on_github else f"git/{quote(self.repository, safe='')}"
            address = f"{self.binderhub}/v2/{source}/{quote(self.branch, safe='')}"
            links["Binder"] = f"{address}?{urlencode({'urlpath': pull})}"
        if self.jupyterhub:
            links["JupyterHub"] = f"{self.jupyterhub}/hub/user-redirect/{pull}"
        return links


def read_publication(config: Path, environment: Mapping[str, str]) -> Publication:
    """Read the settings.

    Args:
        config: `_config.yml`; the keys are Jupyter Book's own.
        environment: may have `BOOK_REPOSITORY`, which wins unless it is empty.

    Returns:
        The settings; the address of the site is `html.baseurl` or follows from the repository.

    Raises:
        BookError: one of them is not an address.
    """
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    where, what = str(config), "repository.url"
    repository = _text(settings, "repository", "url")
    if overriding := environment.get(REPOSITORY_VARIABLE, "").strip():
        where, what, repository = "environment", REPOSITORY_VARIABLE, overriding
    if repository:
        found = _REPOSITORY.fullmatch(repository)
        if not found or (repository.startswith(_GITHUB) and found[1].count("/") != 4):
            raise BookError(
                Problem(where, f"{what}: {repository!r} is not like https://github.com/OWNER/REPO")
            )
        repository = found[1]
    site = _address(config, settings, "html", "baseurl") or _github_pages(repository)
    return Publication(
        repository=repository,
        branch=_text(settings, "repository", "branch") or "main",
        site=f"{site}/" if site else "",
        colab=_address(config, settings, "launch_buttons", "colab_url"),
        binderhub=_address(config, settings, "launch_buttons", "binderhub_url"),
        jupyterhub=_address(config, settings, "launch_buttons", "jupyterhub_url"),
    )


def _text(settings: dict[str, Any], section: str, key: str) -> str:
    return str((settings.get(section) or {}).get(key) or "").strip()


def _address(config: Path, settings: dict[str, Any], section: str, key: str) -> str:
    """An address without the slash at its end, or nothing."""
    address = _text(settings, section, key)
    if address and not _ADDRESS.fullmatch(address):
        raise BookError(
            Problem(str(config), f"{section}.{key}: {address!r} is not like https://HOST/PATH")
        )
    return address.rstrip("/")


def _github_pages(repository: str) -> str:
    """Where GitHub shows the branch `gh-pages` of a repository.

    >>> _github_pages("https://github.com/Some-One/course")
    'https://some-one.github.io/course'
    """
    if not repository.startswith(_GITHUB):
        return ""
    owner, _, name = repository.removeprefix(_GITHUB).partition("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}" if name.lower() == host else f"https://{host}/{name}"
