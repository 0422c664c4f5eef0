"""What is run of a submission, in which order, and what is run again where a process ends."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from nbformat import NotebookNode

from autograder import engine
from autograder.cell_reports import CellReport
from autograder.cells import exercise_of, grade_id, is_code, is_test, without_region
from autograder.sheets import Limits, Sheet


@dataclass
class Plan:
    """The steps of one submission, and which step belongs to which cell of the notebook.

    `steps` are as `engine.execute` takes them. `shown`: the step of a student's cell, by the
    cell's index; `tests`: the two steps of a test cell, as released and whole.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[int, int] = field(default_factory=dict)
    tests: dict[int, tuple[int, int]] = field(default_factory=dict)

    def sources(self) -> Iterator[str]:
        """The student's code, cell by cell."""
        return (step["source"] for step in self.steps if step["kind"] == "student")

    def _add(self, cell: NotebookNode, kind: str, source: str) -> int:
        number = len(self.steps)
        name = grade_id(cell) or cell.id
        self.steps.append({"index": number, "id": name, "kind": kind, "source": source})
        return number


def make_plan(sheet: Sheet, notebook: NotebookNode, only: frozenset[str] | None = None) -> Plan:
    """All of the student's cells in order, then the tests: a function is graded as it stands
    when all cells have run.

    All tests run as they were released first and whole afterwards, so that what the first runs
    say cannot contain a hidden input: see `judging`.

    Args:
        only: exercises whose checks are run; all where None.
    """
    plan = Plan()
    wanted = {check.id for check in sheet.checks if only is None or check.exercise in only}
    code = [(index, cell) for index, cell in enumerate(notebook.cells) if is_code(cell)]
    for index, cell in code:
        # A partial run is for its checks alone: cells that only show something are left out.
        if not is_test(cell) and (only is None or grade_id(cell)):
            plan.shown[index] = plan._add(cell, "student", cell.source)
    tests = [(index, cell) for index, cell in code if is_test(cell) and grade_id(cell) in wanted]
    released = {
        index: plan._add(cell, "test", without_region(cell.source, "HIDDEN TESTS"))
        for index, cell in tests
    }
    for index, cell in tests:
        plan.tests[index] = released[index], plan._add(cell, "test", cell.source)
    return plan


def run_plan(plan: Plan, limits: Limits) -> dict[int, CellReport]:
    """Run the steps; where the process hangs or dies in one, start anew without it.

    So one exercise does not take the others down: the tests of an exercise that ended the process
    are given up, as is a student's cell that did. The time of all starts together is one
    submission's, and there are at most as many new starts as steps of tests.

    Returns: reports by the steps' index; steps that were never reached are absent.
    """
    deadline = time.monotonic() + limits.submission_seconds
    reports: dict[int, CellReport] = {}
    steps = plan.steps
    for _ in range(1 + len(plan.tests)):
        left = deadline - time.monotonic()
        if not steps or left <= 0:
            break
        found = engine.execute(steps, replace(limits, submission_seconds=left))
        # What a cell printed the first time stands: before another start it may have learnt more.
        reports = found | reports
        ended = next((step for step in steps if _ending(found, step)), None)
        if ended is None or _ending(found, ended) == "timeout":
            break
        steps = [step for step in steps if not _done_with(step, ended, reports, plan)]
    return reports


def _ending(reports: dict[int, CellReport], step: dict[str, Any]) -> str:
    return reports[step["index"]].ending if step["index"] in reports else ""


def _done_with(
    step: dict[str, Any], ended: dict[str, Any], reports: dict[int, CellReport], plan: Plan
) -> bool:
    """Whether a step is not to be run again after `ended` has ended the process."""
    if step["kind"] == "student":
        return step is ended
    if ended["kind"] == "test" and exercise_of(step["id"]) == exercise_of(ended["id"]):
        return True
    failed = {whole for released, whole in plan.tests.values() if _failed(reports.get(released))}
    return step["index"] in reports or step["index"] in failed


def _failed(report: CellReport | None) -> bool:
    return report is not None and bool(report.error or report.ending)
