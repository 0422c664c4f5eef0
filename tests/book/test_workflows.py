"""The workflows parse, run what there is, pin what they use, and publish the site."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from coursebook.publication import PUBLISHED, REPOSITORY_VARIABLE
from tiny_book import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def jobs(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values())


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path) for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_and_every_make_target_exists(path: Path) -> None:
    actions = [step["uses"] for step in steps(path) if "uses" in step]
    assert actions
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", action) for action in actions)
    targets = set(re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    made = re.findall(r"\bmake ([\w-]+)", "\n".join(step.get("run", "") for step in steps(path)))
    assert made
    assert set(made) <= targets


def test_no_workflow_may_write_but_the_one_that_publishes() -> None:
    may = {path.stem: yaml.safe_load(path.read_text())["permissions"] for path in WORKFLOWS}
    assert may == {"book": {"contents": "write"}, "test": {"contents": "read"}}


def test_the_book_is_built_with_its_own_repository() -> None:
    (job,) = jobs(REPOSITORY / ".github" / "workflows" / "book.yml")
    own = "${{ github.server_url }}/${{ github.repository }}"
    assert job["env"] == {REPOSITORY_VARIABLE: own}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_publishing_puts_the_site_and_nothing_else_on_the_branch(tmp_path: Path) -> None:
    remote, work = tmp_path / "remote", tmp_path / "work"
    remote.mkdir()
    git(remote, "init", "--quiet", "--bare", "--initial-branch=main")
    git(tmp_path, "clone", "--quiet", remote.as_uri(), "work")
    (work / ".gitignore").write_text("/build/\n*.log\n")
    (work / "solution.md").write_text("secret")
    git(work, "add", "--all")
    git(work, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "all")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    site = work / "build" / "html"
    site.mkdir(parents=True)
    publish = steps(REPOSITORY / ".github" / "workflows" / "book.yml")[-1]["run"]
    for page in ("first.html", "second.log"):
        (site / page).write_text(page)
        # As GitHub runs it: with `-e`, from the top, after a shallow checkout.
        subprocess.run(
            ["bash", "-e", "-c", publish],
            cwd=work,
            check=True,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "WHO": "somebody"},
        )
        assert git(remote, "ls-tree", "-r", "--name-only", PUBLISHED).split() == [
            ".nojekyll",
            page,
        ]
        (site / page).unlink()
    assert git(remote, "rev-list", "--count", PUBLISHED).strip() == "2"
    assert git(remote, "ls-tree", "--name-only", "main").split() == [".gitignore", "solution.md"]
