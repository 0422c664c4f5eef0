"""The instructor's page holds: whoever types what stands there sees what stands there."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from console_page import Command, blocks, commands, follow

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "book" / "instructor.md"
FOLDERS = ("autograder", "book", "build/html/downloads", "data", "detseg", "solutions")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository, in which an instructor may write."""
    copy = tmp_path / "repository"
    for name in FOLDERS:
        shutil.copytree(
            REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for path in REPOSITORY.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    return copy


@pytest.fixture
def environment(tmp_path: Path, copy: Path) -> dict[str, str]:
    """Variables with which `autograder` is the copy's."""
    command = tmp_path / "bin" / "autograder"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m autograder.cli "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    return {"PATH": path, "PYTHONPATH": str(copy)}


def test_the_page(copy: Path, environment: dict[str, str]) -> None:
    done = follow(PAGE, copy, environment)

    for name in ("doctor", "release", "grade", "feedback", "report", "export", "verify"):
        assert any(command.startswith(f"autograder {name}") for command in done), name


def page(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "page.md"
    path.write_text(text)
    return path


def test_files_and_commands(tmp_path: Path) -> None:
    text = """# Title

```{code-block} text
:caption: `notes/a.txt`

one
two
```

```python
not for us
```

```console
$ wc -l \\
  notes/a.txt
2 notes/a.txt
$ cat notes/a.txt
one
...
```
"""
    assert follow(page(tmp_path, text), tmp_path, {}) == [
        "wc -l \\\n  notes/a.txt",
        "cat notes/a.txt",
    ]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("```console\n$ echo two\nthree\n```", "three\n\nnow:\ntwo"),
        ("```console\n$ echo two\n```", "now:\ntwo"),
        ("```console\n$ true\nthree\n```", "three\n\nnow:\n"),
        ("```console\n$ ls nowhere\n```", "page.md:1: ls nowhere: exit status 2"),
        ("```{code-block} console\n:class: fails\n\n$ true\n```", "page.md:1: true: exit status 0"),
        ("```{code-block} console\n:class: fails\n\n$ false\n$ false\n```", "exit status 1"),
    ],
)
def test_a_page_that_does_not_hold(tmp_path: Path, block: str, message: str) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:1: ") as caught:
        follow(page(tmp_path, block), tmp_path, {})

    assert message in str(caught.value)


def test_a_console_block_without_a_command() -> None:
    (block,) = blocks("```console\nautograder grade\n```")

    with pytest.raises(ValueError, match="line 1: a console block begins with `\\$ `"):
        commands(block)


def test_commands_and_their_output() -> None:
    (block,) = blocks("```console\n$ a\n$ b\nx\n\ny\n```")

    assert commands(block) == [Command("a"), Command("b", ["x", "", "y"])]
