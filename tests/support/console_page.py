"""A page that is a session at a terminal: its files are written, its commands run, word for word.

A block `console` holds commands after `$ `, and below each what it prints (`...` stands for
anything, as in doctests). A code block whose caption is a path is that file. A block with the class
`fails` ends with a command whose exit status is not 0.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

_OPTION = re.compile(r":(\w+): *(.*)")
_SAME = doctest.OutputChecker()


@dataclass
class Block:
    """One block of the page.

    Args:
        line: where it begins.
        path: the file that it is, or "".
        text: what is in it.
        fails: whether its last command ends with another status than 0.
    """

    line: int
    path: str
    text: str
    fails: bool = False


@dataclass
class Command:
    """A command and what the page says that it prints."""

    text: str
    output: list[str] = field(default_factory=list)


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page that are to be followed, in order."""
    for token in MarkdownIt().parse(page):
        if token.type != "fence" or token.map is None:
            continue
        options, lines = {}, token.content.splitlines(keepends=True)
        while token.info.startswith("{") and lines and (option := _OPTION.match(lines[0])):
            options[option[1]] = option[2].strip()
            del lines[0]
        path = options.get("caption", "").strip("`")
        if path or token.info in ("console", "{code-block} console"):
            text = "".join(lines).lstrip("\n")
            yield Block(token.map[0] + 1, path, text, "fails" in options.get("class", ""))


def commands(block: Block) -> list[Command]:
    """The commands of a console block; one that ends in a backslash goes on in the next line."""
    found: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif not found:
            raise ValueError(f"line {block.line}: a console block begins with `$ `: {line!r}")
        elif found[-1].text.endswith("\\") and not found[-1].output:
            found[-1].text += "\n" + line
        else:
            found[-1].output.append(line)
    return found


def follow(page: Path, folder: Path, environment: dict[str, str]) -> list[str]:
    """Do what a page says.

    Args:
        page: the page.
        folder: where its reader works.
        environment: variables of the commands, added to those that are there.

    Returns:
        The commands that were run.

    Raises:
        AssertionError: something ends or prints as the page does not say.
    """
    done = []
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.name}:{block.line}"
        if block.path:
            (folder / block.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.path).write_text(block.text, encoding="utf-8")
            continue
        session = commands(block)
        for command in session:
            run = subprocess.run(
                ["bash", "-c", command.text],
                cwd=folder,
                env=os.environ | environment,
                capture_output=True,
                text=True,
                check=False,
            )
            may_fail = block.fails and command is session[-1]
            assert (run.returncode != 0) == may_fail, (
                f"{where}: {command.text}: exit status {run.returncode}\n{run.stdout}{run.stderr}"
            )
            wanted, got = "\n".join(command.output) + "\n", run.stdout.rstrip("\n") + "\n"
            if not _SAME.check_output(wanted, got, doctest.ELLIPSIS):
                raise AssertionError(f"{where}: {command.text}\nthe page:\n{wanted}\nnow:\n{got}")
            done.append(command.text)
    return done
