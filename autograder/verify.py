"""Prove a sheet's tests.

The reference passes, the blank stub does not, every wrong answer loses the exercise that it gets
wrong and no other, every right answer passes, and mutants of the reference are noticed.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from autograder import answers
from autograder.errors import AnswerError
from autograder.grading import Verdict, grade_rebuilt
from autograder.mutants import Mutant, mutants
from autograder.sheets import SOLUTIONS, Sheet

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
    sheet: Sheet, *, jobs: int, solutions: Path = SOLUTIONS, progress: bool = True
) -> dict[str, Any]:
    """One sheet's entry of `autograder verify --json`, as `ok` says all as expected or not."""
    known = _equivalents(sheet, solutions)
    tasks = _answers(sheet, solutions)
    changed = [m for name, code in answers.reference(sheet).items() for m in mutants(name, code)]
    with (
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
        survivors = run(lambda mutant: _survives(sheet, mutant), changed)
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
        "mutants": report,
    }


def _answers(sheet: Sheet, solutions: Path) -> list[Callable[[], dict[str, Any]]]:
    tasks = [
        lambda: _row("reference", "reference", "", "pass", _grade(sheet, answers.reference(sheet))),
        lambda: _row("blank", "blank", "", "fail", _grade(sheet, answers.blank(sheet))),
    ]
    for kind, expected in (("wrong", "fail"), ("right", "pass")):
        for answer in answers.named_answers(sheet, kind, solutions):

            def task(
                answer: answers.Named = answer, kind: str = kind, expected: str = expected
            ) -> dict[str, Any]:
                verdict = _grade(sheet, answers.isolated(sheet, answer.exercise, answer.code))
                return _row(kind, answer.name, answer.exercise, expected, verdict)

            tasks.append(task)
    return tasks


def _grade(sheet: Sheet, answer: answers.Answer) -> Verdict:
    return grade_rebuilt(sheet, answers.typed_in(sheet, answer)).verdict


def _row(kind: str, name: str, exercise: str, expected: str, verdict: Verdict) -> dict[str, Any]:
    lost = {
        check["exercise"]: check["message"]
        for check in verdict["checks"]
        if check["verdict"] != "pass"
    }
    others = sorted(set(lost) - {exercise})
    if kind == "blank":
        actual = "fail" if verdict["score"] == 0 else f"{verdict['score']:g} points"
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
        "score": verdict["score"],
        "message": lost.get(exercise, ""),
    }


def _survives(sheet: Sheet, mutant: Mutant) -> bool:
    limits = replace(sheet.limits, submission_seconds=_MUTANT_SECONDS)
    quick = Sheet(sheet.name, sheet.notebook)
    quick.__dict__["limits"] = limits
    rebuilt = answers.typed_in(quick, answers.isolated(quick, mutant.exercise, mutant.code))
    verdict = grade_rebuilt(quick, rebuilt, only=frozenset({mutant.exercise})).verdict
    return all(
        c["verdict"] == "pass" for c in verdict["checks"] if c["exercise"] == mutant.exercise
    )


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
