"""What came of one cell; what a student's kernel says of it is read as data from a stranger.

Student code runs in that process, so every field may be anything. What is read here is of the
right type, of bounded length, and can be written as UTF-8; anything else is refused.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from autograder.plain_text import plain

# A report is longer than the text in it: JSON writes some characters with six.
MAX_REPORT_BYTES = 15_000_000

_MAX_NAME = 100
_MAX_MESSAGE = 500

# A picture is larger than a text: the kernel itself keeps to the same.
PICTURES_TO_TEXT = 5


@dataclass(frozen=True)
class CellError:
    """The exception that ended a cell or test.

    Of a test, `lines` are those of the cell on the way to the failure, outermost first; `by_cell`
    says that the author's code raised it, the cell's or one that prepares the tests, and not a
    function of somebody else.
    """

    name: str
    message: str
    lines: list[int] = field(default_factory=list)
    by_cell: bool = False


@dataclass(frozen=True)
class CellReport:
    """What came of one cell.

    `ending` is set by the grader alone, where the student's kernel did not get through the cell or
    test: `hung` (the cell's time), `timeout` (the submission's time, or its processor's),
    `memory`, `died` or `protocol`; `detail` may say more. Outputs are `{"text": str}` or
    `{"png": base64 text}`. `points` is what a test that passed says it is worth; None means all.
    """

    outputs: list[dict[str, str]] = field(default_factory=list)
    error: CellError | None = None
    ending: str = ""
    detail: str = ""
    points: float | None = None

    @property
    def ran_too_long(self) -> bool:
        """Whether the cell was stopped by its own limit, not by the submission's."""
        return self.ending == "hung" or (
            self.error is not None and self.error.name == "CellTimeoutError"
        )


class Allowance:
    """What is still read of a submission's outputs: characters of text, and of pictures."""

    def __init__(self, output_bytes: int) -> None:
        self._text = output_bytes
        self._pictures = PICTURES_TO_TEXT * output_bytes

    def take(self, kind: str, content: str) -> str:
        """What is kept of an output: text is cut, a picture is kept or is not."""
        if kind == "text":
            kept = content[: self._text]
            self._text -= len(kept)
            return kept
        if len(content) > self._pictures:
            return ""
        self._pictures -= len(content)
        return content


def read_report(line: bytes, index: int, allowance: Allowance) -> CellReport:
    """One line of JSON as a report of the cell `index`, its outputs within the allowance.

    Raises:
        ValueError: the line is none.
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not a line of JSON") from error
    if not isinstance(data, dict) or data.get("index") != index:
        raise ValueError(f"not a report of cell {index}")
    return CellReport(_outputs(data.get("outputs"), allowance), _error(data.get("error")))


def _outputs(given: Any, allowance: Allowance) -> list[dict[str, str]]:
    if not isinstance(given, list):
        raise ValueError("outputs are a list")
    found = []
    for kind, content in map(_output, given):
        kept = allowance.take(kind, content)
        if kept:
            found.append({kind: kept})
    return found


def _output(given: Any) -> tuple[str, str]:
    if isinstance(given, dict):
        for kind in ("text", "png"):
            if set(given) == {kind} and isinstance(given[kind], str):
                return kind, _clean(given[kind])
    raise ValueError("an output is a text or a picture")


def _error(given: Any) -> CellError | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise ValueError("an error is a mapping")
    name, message = given.get("name"), given.get("message")
    if not isinstance(name, str) or not isinstance(message, str):
        raise ValueError("an error has a name and a message")
    return CellError(plain(name)[:_MAX_NAME], plain(message)[:_MAX_MESSAGE])


def _clean(text: str) -> str:
    """Without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
