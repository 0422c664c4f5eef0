"""Prove a sheet's tests.

The reference passes, the blank stub does not, every wrong answer loses the exercise that it gets
wrong and no other but those whose tests use it, every right answer passes, and mutants of the
reference are noticed. Each answer is also run as in a student's own notebook, where tests and
answer share a kernel: a test that says one thing there and another when it is graded is no test.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from nbformat import NotebookNode
from tqdm import tqdm

from autograder import answers
from autograder.bindings import looked_up
from autograder.cells import exercise_of, grade_id, is_code, is_test
from autograder.engine import Work, execute
from autograder.errors import AnswerError
from autograder.exam_rules import check_tests
from autograder.grading import grade_rebuilt
from autograder.mutants import Mutant, mutants
from autograder.plan import needed_by_tests
from autograder.sheets import SOLUTIONS, Sheet
from autograder.verdict_cache import CACHE, VerdictCache, key_of

# A test that notices fewer of the reference's mutants than this leaves room for wrong answers.
MIN_KILLED = 0.95

# A mutant may loop for ever; the reference takes far less than this for one exercise.
_MUTANT_SECONDS = 20.0


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can notice, and why; from `solutions/<sheet>/equivalent.yaml`."""

    exercise: str
    before: str
    after: str
    reason: str

    def is_of(self, mutant: Mutant) -> bool:
        return (self.exercise, self.before, self.after) == (
            mutant.exercise,
            mutant.before,
            mutant.after,
        )


def verify(
    sheet: Sheet,
    *,
    jobs: int,
    solutions: Path = SOLUTIONS,
    cache: Path = CACHE,
    fresh: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """One sheet's entry of `autograder verify --json`, as `ok` says all as expected or not.

    Args:
        cache: folder of verdicts that still hold.
        fresh: do not use them.

    Raises:
        SheetError: a test uses what tests cannot use.
    """
    check_tests(sheet, solutions / sheet.name / f"{sheet.name}.md")
    known = _equivalents(sheet, solutions)
    grader = _Grader(sheet, VerdictCache(cache / f"{sheet.name}.json", fresh=fresh), solutions)
    tasks = _answers(grader)
    given = answers.reference(sheet, solutions)
    without = _without_mutants(sheet)
    changed = [
        m for name in sheet.exercises if name not in without for m in mutants(name, given[name])
    ]
    with (
        grader.saving(),
        ThreadPoolExecutor(jobs) as pool,
        tqdm(
            total=len(tasks) + len(changed),
            desc=sheet.name,
            unit="answer",
            disable=None if progress else True,
        ) as bar,
    ):

        def run(function: Callable, items: Iterable) -> list:
            def one(item: object) -> Any:
                result = function(item)
                bar.update()
                return result

            return list(pool.map(one, items))

        table = run(lambda task: task(), tasks)
        survivors = run(grader.survives, changed)
    remaining = [mutant for mutant, survived in zip(changed, survivors, strict=True) if survived]
    report = _mutant_report(len(changed), remaining, known)
    as_expected = all(row["actual"] == row["expected"] for row in table)
    enough = report["killed"] >= MIN_KILLED * report["total"]
    ok = as_expected and enough and not report["survived"] and not report["stale"]
    return {
        "sheet": sheet.name,
        "ok": ok,
        "max_score": sheet.max_score,
        "answers": table,
        "mutants": report | {"without": without},
    }


class _Grader:
    """Grades answers to one sheet, but those whose verdict is known."""

    def __init__(self, sheet: Sheet, cache: VerdictCache, solutions: Path) -> None:
        self.sheet = sheet
        self.solutions = solutions
        self._files = answers.reference_files(sheet, solutions)
        self._quick = Sheet(sheet.name, sheet.notebook)
        self._quick.__dict__["limits"] = replace(sheet.limits, submission_seconds=_MUTANT_SECONDS)
        self._cache = cache
        digests = (hashlib.sha256(content).hexdigest() for content in self._files.values())
        self._text = "\n".join([sheet.to_json(), *digests])

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Keep what was found, also where the rest is broken off."""
        try:
            yield
        except BaseException:
            self._cache.save(whole=False)
            raise
        self._cache.save(whole=True)

    def checks(
        self, kind: str, answer: answers.Answer, only: frozenset[str]
    ) -> list[dict[str, Any]]:
        """The checks of a verdict; each also says whether it passes in one kernel
        (`"together"`), as in the student's own notebook.

        Cells that show a result are run with the reference alone: pictures take longer than tests.

        Args:
            only: exercises that are graded; of the others it is enough how they fare in one
                kernel, where an answer can spoil more than in two.
        """
        shown = None if kind == "reference" else only

        def grade() -> list[dict[str, Any]]:
            rebuilt = answers.typed_in(self.sheet, answer)
            together = passed_together(self.sheet, rebuilt.notebook, self._files)
            verdict = grade_rebuilt(self.sheet, rebuilt, files=self._files, only=shown)
            checks = []
            for check in verdict.verdict["checks"]:
                passes = together[check["id"]]
                if check["exercise"] not in only:
                    points = check["max_points"] if passes else 0.0
                    check |= {"verdict": "pass" if passes else "fail", "points": points}
                checks.append(check | {"together": passes})
            return checks

        return self._known(kind, answer, grade)

    def survives(self, mutant: Mutant) -> bool:
        """Whether no check of its exercise notices a mutant."""
        answer = answers.isolated(self.sheet, mutant.exercise, mutant.code, self.solutions)

        def grade() -> bool:
            only = frozenset({mutant.exercise})
            rebuilt = answers.typed_in(self._quick, answer)
            graded = grade_rebuilt(
                self._quick, rebuilt, files=self._files, only=only, until_failure=True
            )
            checks = graded.verdict["checks"]
            return all(_is_won(c) for c in checks if c["exercise"] in only)

        return bool(self._known(f"mutant of {mutant.exercise}", answer, grade))

    def _known(self, kind: str, answer: answers.Answer, grade: Callable[[], Any]) -> Any:
        key = key_of(kind, self._text, json.dumps(answer, sort_keys=True))
        found = self._cache.get(key)
        if found is None:
            found = grade()
            self._cache.put(key, found)
        return found


def passed_together(
    sheet: Sheet, notebook: NotebookNode, files: dict[str, bytes] | None = None
) -> dict[str, bool]:
    """By check: whether it passes where tests and the student's code share one kernel."""
    cells = [
        cell
        for cell in notebook.cells
        if is_code(cell) and (is_test(cell) or needed_by_tests(sheet, cell))
    ]
    seconds = sheet.limits.cell_seconds
    steps = [{"index": i, "source": c.source, "seconds": seconds} for i, c in enumerate(cells)]
    reports = execute(Work(steps, files=files or {}), sheet.limits)
    return {
        grade_id(cell): index in reports
        and reports[index].error is None
        and not reports[index].ending
        for index, cell in enumerate(cells)
        if is_test(cell)
    }


def _answers(grader: _Grader) -> list[Callable[[], dict[str, Any]]]:
    sheet, solutions = grader.sheet, grader.solutions

    def task(kind: str, name: str, exercise: str, answer: answers.Answer) -> Callable:
        expected = "pass" if kind in ("reference", "right") else "fail"
        users = _whose_tests_use(sheet, exercise)
        only = {exercise} | users if exercise else sheet.exercises

        def row() -> dict[str, Any]:
            checks = grader.checks(kind, answer, frozenset(only))
            return _row(kind, name, exercise, expected, checks, users)

        return row

    return [
        task("reference", "reference", "", answers.reference(sheet, solutions)),
        task("blank", "blank", "", answers.blank(sheet)),
        *(
            task(kind, a.name, a.exercise, answers.isolated(sheet, a.exercise, a.code, solutions))
            for kind in ("wrong", "right")
            for a in answers.named_answers(sheet, kind, solutions)
        ),
    ]


def _is_won(check: dict[str, Any]) -> bool:
    """Whether a check gave all of its points."""
    return bool(check["verdict"] == "pass" and check["points"] == check["max_points"])


def _whose_tests_use(sheet: Sheet, exercise: str) -> set[str]:
    """The other exercises whose tests call what an exercise asks for: they fall with it."""
    tests = (cell for cell in sheet.notebook.cells if is_test(cell))
    users = {exercise_of(grade_id(c)) for c in tests if exercise in (looked_up(c.source) or ())}
    return users - {exercise}


def _row(
    kind: str,
    name: str,
    exercise: str,
    expected: str,
    checks: list[dict[str, Any]],
    users: set[str],
) -> dict[str, Any]:
    lost = {c["exercise"]: c["message"] for c in checks if not _is_won(c)}
    differs = [c["id"] for c in checks if c["together"] != (c["verdict"] == "pass")]
    score = sum(c["points"] for c in checks)
    others = sorted(set(lost) - {exercise} - (users if exercise in lost else set()))
    if differs:
        actual = f"{', '.join(differs)} says otherwise in the student's own notebook"
    elif kind == "blank":
        actual = "fail" if score == 0 else f"{score:g} points"
    elif not lost:
        actual = "pass"
    elif exercise and others:
        actual = (
            f"loses {', '.join(others)} too" if exercise in lost else f"loses {', '.join(others)}"
        )
    else:
        actual = "fail"
    return {
        "kind": kind,
        "name": name,
        "exercise": exercise,
        "expected": expected,
        "actual": actual,
        "score": score,
        "message": lost.get(exercise, ""),
    }


def _equivalents(sheet: Sheet, solutions: Path) -> list[Equivalent]:
    path = solutions / sheet.name / "equivalent.yaml"
    if not path.exists():
        return []
    try:
        return [
            Equivalent(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or []
        ]
    except (yaml.YAMLError, TypeError) as error:
        raise AnswerError(
            f"{path}: a list of exercise, before, after, reason is expected: {error}"
        ) from error


def _without_mutants(sheet: Sheet) -> dict[str, str]:
    """Exercises whose reference is not changed, and why; from their solution cells."""
    return {
        grade_id(cell): cell.metadata["without_mutants"]
        for cell in sheet.notebook.cells
        if "without_mutants" in cell.metadata
    }


def _mutant_report(total: int, remaining: list[Mutant], known: list[Equivalent]) -> dict[str, Any]:
    survived = [mutant for mutant in remaining if not any(entry.is_of(mutant) for entry in known)]
    stale = [entry for entry in known if not any(entry.is_of(mutant) for mutant in remaining)]
    return {
        "total": total,
        "killed": total - len(remaining),
        "equivalent": len(remaining) - len(survived),
        "survived": [
            {"exercise": mutant.exercise, "before": mutant.before, "after": mutant.after}
            for mutant in survived
        ],
        "stale": [asdict(entry) for entry in stale],
    }
