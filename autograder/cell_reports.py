"""What the process of a submission says about one cell: read as data from a stranger.

Student code runs in that process, so every field may be anything. What is read here is of the
right type, of bounded length, and can be written as UTF-8; anything else is refused.
"""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from autograder.plain_text import plain

# A report is longer than the text in it: JSON writes some characters with six.
MAX_REPORT_BYTES = 50_000_000

_MAX_NAME = 100
_MAX_MESSAGE = 500
_MAX_LINES = 2000


@dataclass(frozen=True)
class CellError:
    """The exception that ended a cell.

    `lines` are those of the cell on the way to the failure, outermost first; `by_cell` says that
    the cell's own code raised it, not a function that it called.
    """

    name: str
    message: str
    lines: tuple[int, ...] = ()
    by_cell: bool = False


@dataclass(frozen=True)
class CellReport:
    """What came of one cell.

    `ending` is set by this side alone, where the process did not get through the cell: `hung` (the
    cell's time), `timeout` (the submission's time), `died` or `protocol`. Outputs are
    `{"text": str}` or `{"png": base64 text}`.
    """

    outputs: list[dict[str, str]] = field(default_factory=list)
    error: CellError | None = None
    ending: str = ""
    seconds: float = 0.0

    @property
    def ran_too_long(self) -> bool:
        """Whether the cell was stopped by its own limit, not by the submission's."""
        return self.ending == "hung" or (
            self.error is not None and self.error.name == "CellTimeoutError"
        )


def read_report(line: bytes, index: int) -> CellReport:
    """One line of JSON as a report of the cell `index`.

    Raises:
        ValueError: the line is none.
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not a line of JSON") from error
    if not isinstance(data, dict) or data.get("index") != index:
        raise ValueError(f"not a report of cell {index}")
    seconds = data.get("seconds")
    if not isinstance(seconds, float) or not math.isfinite(seconds):
        raise ValueError(f"a report of cell {index} without a time")
    return CellReport(_outputs(data.get("outputs")), _error(data.get("error")), "", seconds)


def _outputs(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list):
        raise ValueError("outputs are a list")
    return [_output(output) for output in given]


def _output(given: Any) -> dict[str, str]:
    if isinstance(given, dict):
        for kind in ("text", "png"):
            if set(given) == {kind} and isinstance(given[kind], str):
                return {kind: _clean(given[kind])}
    raise ValueError("an output is a text or a picture")


def _error(given: Any) -> CellError | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise ValueError("an error is a mapping")
    name, message, lines = given.get("name"), given.get("message"), given.get("lines", [])
    if not isinstance(name, str) or not isinstance(message, str):
        raise ValueError("an error has a name and a message")
    if not isinstance(lines, list) or not all(isinstance(line, int) for line in lines):
        raise ValueError("an error's lines are numbers")
    return CellError(
        plain(name)[:_MAX_NAME],
        plain(message)[:_MAX_MESSAGE],
        tuple(lines[:_MAX_LINES]),
        given.get("by_cell") is True,
    )


def _clean(text: str) -> str:
    """Without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
