"""One submission as it lies in a course folder, read without trusting it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import AutograderError
from autograder.rebuild import MAX_SUBMISSION_BYTES
from autograder.version import grader_version


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one sheet."""

    student: str
    sheet: str
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{self.sheet}.ipynb"

    def read(self) -> bytes:
        """The notebook's bytes; empty where there is no regular file of the expected name.

        Links are not followed: a link could name any file that the grader may read.
        """
        return self._regular_file(self.path.name, MAX_SUBMISSION_BYTES) or b""

    def read_files(self, allowed: dict[str, int]) -> dict[str, bytes]:
        """What was handed in beside the notebook, of these names; a link is not followed.

        Args:
            allowed: the most bytes of each; of a larger file one byte more is read.
        """
        found = {name: self._regular_file(name, limit) for name, limit in allowed.items()}
        return {name: data for name, data in found.items() if data is not None}

    def _regular_file(self, name: str, limit: int) -> bytes | None:
        """The first bytes of a file, one more than the limit; None where there is no file."""
        path = self.folder / name
        if self.folder.is_symlink() or path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(limit + 1)

    @property
    def timestamp(self) -> str | None:
        """When it was handed in, as nbgrader writes it; None where nothing says when.

        Raises:
            AutograderError: `timestamp.txt` holds no time.
        """
        from nbgrader.utils import parse_utc

        text = self._timestamp_as_written()
        try:
            parse_utc(text or None)
        except (ValueError, OverflowError) as error:
            path = self.folder / "timestamp.txt"
            raise AutograderError(
                f"{path}: '{text[:80]}' is no time; write '2026-03-01 12:00:00 UTC'"
            ) from error
        return text or None

    def _timestamp_as_written(self) -> str:
        path = self.folder / "timestamp.txt"
        if path.is_symlink() or not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(1000).strip()

    def digest(
        self,
        sheet_json: str,
        data: bytes,
        files: dict[str, bytes] | None = None,
        *,
        locked: bool = True,
    ) -> str:
        """What a verdict and its grade depend on: all that was handed in and when, and to whom."""
        digest = hashlib.sha256()
        texts = (sheet_json, self._timestamp_as_written(), grader_version(), f"locked {locked}")
        parts = [data, *(text.encode() for text in texts)]
        for name, content in sorted((files or {}).items()):
            parts += [name.encode(), content]
        for part in parts:
            digest.update(len(part).to_bytes(8) + part)
        return digest.hexdigest()
