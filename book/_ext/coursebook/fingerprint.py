"""Fingerprints of what goes into the book: what decides whether a result may be used again."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from coursebook import kernels

_IGNORED = {"__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache"}


def files_below(path: Path) -> list[Path]:
    """List the files that matter below a file or folder, in a fixed order.

    Args:
        path: a file, a folder, or nothing.

    Returns:
        Files, without caches.
    """
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not _IGNORED & set(file.parts) and file.suffix != ".pyc"
    )


def fingerprint(paths: Iterable[Path]) -> str:
    """Hash names and contents of files.

    Args:
        paths: files and folders, some of which may be absent. Names count from there, so a copy
            elsewhere has the same fingerprint.

    Returns:
        64 hexadecimal digits. They also depend on the version of Python.
    """
    digest = hashlib.sha256(repr(sys.version_info).encode())
    for path in paths:
        for file in files_below(path):
            content = file.read_bytes()
            # The length keeps a name and a content from running into each other.
            name = file.relative_to(path.parent).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def execution_key(root: Path) -> str:
    """Hash what the pages' cells can see besides their own text.

    jupyter-cache compares the text of cells alone; it would keep a figure that an older `detseg`
    drew. So each state of these files, and of the kernels' settings, has its own cache.

    Args:
        root: the repository.

    Returns:
        64 hexadecimal digits.
    """
    names = ("detseg", "data", "requirements.txt")
    return fingerprint([*(root / name for name in names), Path(kernels.__file__)])
