"""What is wrong with the book, and where: the one kind of error that the builder raises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend.

    Args:
        where: a file, with its 1-based line or cell where that is known: `book/intro.md:12`.
        what: what is wrong there, what was given, and what is allowed.

    >>> print(Problem("book/intro.md:12", "figure without alternative text"))
    book/intro.md:12: figure without alternative text
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class BookError(Exception):
    """The book cannot be built as it is: `problems` lists why, one entry a place."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
