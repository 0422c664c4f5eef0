"""What is run of a submission, in which order, and what is run again where a kernel ends."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nbformat import NotebookNode

from autograder import engine
from autograder.bindings import bound_names, looked_up
from autograder.cell_reports import CellReport
from autograder.cells import exercise_of, grade_id, is_code, is_test, without_region
from autograder.engine import Work
from autograder.sheets import Sheet


@dataclass
class Plan:
    """The steps of one submission, and which step belongs to which cell of the notebook.

    `shown`: the step of a student's cell, by the cell's index; `pictures`: those of them that only
    show a result, which tests cannot miss; `tests`: the two steps of a test cell, as released and
    whole.
    """

    work: Work
    shown: dict[int, int] = field(default_factory=dict)
    pictures: set[int] = field(default_factory=set)
    tests: dict[int, tuple[int, int]] = field(default_factory=dict)
    _steps: int = 0

    def sources(self) -> Iterator[str]:
        """The student's code, cell by cell."""
        return (cell["source"] for cell in self.work.cells)

    def uses(self, exercise: str) -> set[str]:
        """Names that the student's cell for an exercise looks up."""
        found = (looked_up(s) or set() for s in self.sources() if exercise in bound_names([s]))
        return set().union(*found)

    def add_cell(self, index: int, cell: NotebookNode, sheet: Sheet) -> None:
        step = self.shown[index] = self._number()
        seconds = sheet.seconds_of(cell)
        if not needed_by_tests(sheet, cell):
            self.pictures.add(step)
            if "limits" not in cell.metadata:
                seconds = min(seconds, sheet.limits.show_seconds)
        self.work.cells.append({"index": step, "source": cell.source, "seconds": seconds})

    def add_test(self, cell: NotebookNode, sheet: Sheet, *, released: bool) -> int:
        number = self._number()
        source = without_region(cell.source, "HIDDEN TESTS") if released else cell.source
        self.work.tests.append(
            {
                "index": number,
                "id": grade_id(cell),
                "source": source,
                "released": released,
                "limits": asdict(sheet.limits_of(exercise_of(grade_id(cell)))),
            }
        )
        return number

    def _number(self) -> int:
        self._steps += 1
        return self._steps - 1


def make_plan(
    sheet: Sheet,
    notebook: NotebookNode,
    *,
    only: frozenset[str] | None = None,
    files: dict[str, bytes] | None = None,
    forbidden: tuple[str, ...] = (),
    until_failure: bool = False,
) -> Plan:
    """All of the student's cells in order, then the tests: a function is graded as it stands
    when all cells have run.

    All tests run as they were released first and whole afterwards, so that what the first runs
    say cannot contain a hidden input: see `judging`. A test with nothing hidden runs once.

    Args:
        only: exercises whose checks are run; all where None.
        files: what was handed in beside the notebook.
        forbidden: library calls that the student's functions must not use.
        until_failure: run no test after one that fails.
    """
    plan = Plan(
        Work(
            cells=[],
            setup=list(sheet.setup),
            names=list(sheet.names),
            forbidden=forbidden,
            files=files or {},
            seed=_seed(sheet, notebook),
            until_failure=until_failure,
        )
    )
    wanted = {check.id for check in sheet.checks if only is None or check.exercise in only}
    code = [(index, cell) for index, cell in enumerate(notebook.cells) if is_code(cell)]
    for index, cell in code:
        # A partial run is for its checks alone: cells that only show something are left out.
        if not is_test(cell) and (only is None or needed_by_tests(sheet, cell)):
            plan.add_cell(index, cell, sheet)
    tests = [(index, cell) for index, cell in code if is_test(cell) and grade_id(cell) in wanted]
    released = {index: plan.add_test(cell, sheet, released=True) for index, cell in tests}
    for index, cell in tests:
        whole = released[index]
        if without_region(cell.source, "HIDDEN TESTS") != cell.source:
            whole = plan.add_test(cell, sheet, released=False)
        plan.tests[index] = released[index], whole
    return plan


def needed_by_tests(sheet: Sheet, cell: NotebookNode) -> bool:
    """Whether tests could miss a cell: one that only shows the student's own result they cannot."""
    of_the_sheet = {cell.id for cell in sheet.notebook.cells if not grade_id(cell)}
    return cell.id not in of_the_sheet or cell.source in sheet.setup


def _seed(sheet: Sheet, notebook: NotebookNode) -> int:
    """The examiner's seed: the same for the same submission, and nothing a student could know."""
    digest = hashlib.sha256(sheet.to_json().encode())
    for cell in notebook.cells:
        digest.update(cell.source.encode())
    return int.from_bytes(digest.digest()[:7])


def run_plan(plan: Plan, sheet: Sheet, *, locked: bool) -> dict[int, CellReport]:
    """Run the steps; where the student's kernel hangs or dies in one, start anew without it.

    So one exercise does not take the others down: the tests of an exercise that ended the kernel
    are given up, as is a student's cell that did. The time of all starts together is one
    submission's, and there are at most as many new starts as tests.

    Returns: reports by the steps' index; steps that were never reached are absent.
    """
    deadline = time.monotonic() + sheet.limits.submission_seconds
    reports: dict[int, CellReport] = {}
    work = plan.work
    for _ in range(1 + len(plan.tests)):
        left = deadline - time.monotonic()
        if left <= 0 or not any(step["index"] not in reports for step in work.cells + work.tests):
            break
        found = engine.execute(work, replace(sheet.limits, submission_seconds=left), locked=locked)
        # What a cell printed the first time stands: before another start it may have learnt more.
        reports = found | reports
        ended = next((index for index in found if found[index].ending), None)
        if ended is None or found[ended].ending == "timeout":
            break
        # A picture that took all of its time once would take it again.
        left_out = {ended} | _slow_pictures(plan, reports)
        work = replace(
            work,
            cells=[cell for cell in work.cells if cell["index"] not in left_out],
            tests=_still_to_run(work.tests, ended, reports, plan),
        )
    return reports


def _slow_pictures(plan: Plan, reports: dict[int, CellReport]) -> set[int]:
    """Steps that only show a result and were stopped at their limit."""
    return {step for step in plan.pictures if step in reports and reports[step].ran_too_long}


def _still_to_run(
    tests: list[dict[str, Any]], ended: int, reports: dict[int, CellReport], plan: Plan
) -> list[dict[str, Any]]:
    """The tests that are left; last, those of exercises that use what ended the kernel, or that a
    picture which took too long has used."""
    slow = _slow_pictures(plan, reports)
    shown = (cell["source"] for cell in plan.work.cells if cell["index"] in slow)
    suspects = set().union(*(looked_up(source) or set() for source in shown))
    given_up = {exercise_of(test["id"]) for test in tests if test["index"] == ended}
    failed = {whole for released, whole in plan.tests.values() if _failed(reports.get(released))}
    left = [
        test
        for test in tests
        if exercise_of(test["id"]) not in given_up
        and test["index"] not in reports
        and test["index"] not in failed
    ]

    def comes_last(test: dict[str, Any]) -> bool:
        exercise = exercise_of(test["id"])
        return exercise in suspects or bool(plan.uses(exercise) & given_up)

    return sorted(left, key=comes_last)


def _failed(report: CellReport | None) -> bool:
    return report is not None and bool(report.error or report.ending)
