"""Verdicts on answers that were graded before, so that `verify` runs only what has changed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from autograder.repository import REPOSITORY
from autograder.version import grader_version

CACHE = REPOSITORY / "build" / ".cache" / "verify"


class VerdictCache:
    """Verdicts by everything that they depend on: grader, sheet, answer.

    Args:
        path: a JSON file; made by `save`, and ignored where it cannot be read.
        fresh: forget what is there.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self._path = path
        self._old: dict[str, Any] = {} if fresh else _read(path)
        self._used: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """The verdict of a key, or None."""
        if key in self._old:
            self._used[key] = self._old[key]
        return self._used.get(key)

    def put(self, key: str, verdict: Any) -> None:
        self._used[key] = verdict

    def save(self, *, whole: bool) -> None:
        """Write what was used; what was not is dropped, but for a run that was broken off."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        kept = self._used if whole else self._old | self._used
        draft.write_text(json.dumps(kept), encoding="utf-8")
        draft.replace(self._path)


def key_of(*parts: str) -> str:
    """A key of the grader itself and of these texts."""
    digest = hashlib.sha256()
    for part in (grader_version(), *parts):
        data = part.encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
