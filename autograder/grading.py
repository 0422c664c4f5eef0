"""Grade one submission: bytes in, a verdict and a notebook out."""

import json
import re
import time
from dataclasses import asdict, dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder import sandbox
from autograder.cell_reports import CellReport
from autograder.cells import exercise_of, grade_id, is_code, is_solution, is_test
from autograder.engine import Work
from autograder.judging import NOT_RUN, SHORTCUT, judge, points_of
from autograder.plan import Plan, make_plan, run_plan
from autograder.rebuild import Flag, Rebuilt, rebuild
from autograder.sheets import Check, Sheet
from autograder.shortcuts import find_shortcuts

Verdict = dict[str, Any]
"""The JSON object of one graded submission; its form is held by `tests/autograder`."""

# How IPython names a cell in the message of a SyntaxError.
_PLACE = re.compile(r"\(<[^>]*>, (line \d+)\)")

UNREADABLE = "the notebook could not be read"

# Why a student's cell did not end by itself.
STOPPED = {
    "hung": "it ran too long",
    "timeout": "the submission's time was used up",
    "memory": "it used too much memory",
    "died": "the process ended while it ran",
    "protocol": "the process sent what it must not send",
}


@dataclass
class Graded:
    """A verdict and the notebook that was run, outputs in it, in nbgrader's format."""

    verdict: Verdict
    notebook: NotebookNode

    def to_json(self) -> str:
        """As text that `from_json` reads: what a worker sends back."""
        return json.dumps({"verdict": self.verdict, "notebook": self.notebook})

    @classmethod
    def from_json(cls, text: str) -> "Graded":
        data = json.loads(text)
        return cls(data["verdict"], nbformat.from_dict(data["notebook"]))


def grade(
    sheet: Sheet,
    submission: bytes,
    *,
    student: str = "",
    files: dict[str, bytes] | None = None,
    locked: bool = True,
) -> Graded:
    """Grade a notebook as handed in. Whatever the bytes are, there is a verdict.

    Args:
        files: what was handed in beside it. Only names that the sheet asks for are looked at, and
            of a file that is too large only as much as shows that it is.
        locked: whether the student's code is locked in a sandbox.

    Raises:
        SandboxError: this machine cannot lock code in.
    """
    rebuilt = rebuild(sheet, submission)
    return grade_rebuilt(sheet, rebuilt, student=student, files=files, locked=locked)


def grade_rebuilt(
    sheet: Sheet,
    rebuilt: Rebuilt,
    *,
    student: str = "",
    files: dict[str, bytes] | None = None,
    allow_shortcuts: bool = False,
    only: frozenset[str] | None = None,
    until_failure: bool = False,
    locked: bool = True,
) -> Graded:
    """Grade a notebook that has been rebuilt from the source: see `grade`.

    Args:
        allow_shortcuts: let library calls through that the sheet forbids.
        only: exercises whose checks are run; the others are `not-run`. All where None.
        until_failure: leave what comes after a check that fails `not-run`, too.
    """
    started = time.monotonic()
    notebook, flags = rebuilt.notebook, list(rebuilt.flags)
    given = {name: data for name, data in (files or {}).items() if name in sheet.files}
    flags += _file_flags(sheet, given)
    forbidden = () if allow_shortcuts else sheet.forbidden
    plan = Plan(Work(cells=[]))
    if rebuilt.readable:
        plan = make_plan(
            sheet,
            notebook,
            only=only,
            files=given,
            forbidden=forbidden,
            until_failure=until_failure,
        )
    shortcuts = find_shortcuts(plan.sources(), sheet.exercises, forbidden)
    began = time.monotonic()
    reports = run_plan(plan, sheet, locked=locked)
    used_up = time.monotonic() - began >= sheet.limits.submission_seconds
    slow = _that_ran_too_long(notebook, plan, reports) if used_up else []
    broken = _that_do_not_run(notebook, plan, reports)
    checks = []
    for index, cell in enumerate(notebook.cells):
        if is_code(cell):
            cell.outputs = []
        if is_test(cell):
            check = next(check for check in sheet.checks if check.id == grade_id(cell))
            released, whole = (reports.get(step) for step in plan.tests.get(index, (-1, -1)))
            seconds = sheet.limits_of(check.exercise).cell_seconds
            result, message = judge(cell.source, released, whole, seconds)
            if not rebuilt.readable:
                message = UNREADABLE
            elif result == "not-run" and slow and check.exercise not in slow:
                message = f"{NOT_RUN}: the time was used up, by {', '.join(slow)}"
            elif message == f"NameError: name {check.exercise!r} is not defined":
                cause = broken.get(check.exercise)
                message = f"the cell of {check.exercise} fails: {cause}" if cause else message
            points = points_of(whole, check.points) if result == "pass" else 0.0
            entry = _entry(check, result, message, points, shortcuts.get(check.exercise, []))
            if message == SHORTCUT and check.exercise not in shortcuts:
                detour = f"{check.exercise} used a forbidden call that its source does not show"
                flags += [flag for flag in [Flag("shortcut-detour", detour)] if flag not in flags]
            _show_verdict(cell, entry)
            checks.append(entry)
        elif index in plan.shown and plan.shown[index] in reports:
            report = reports[plan.shown[index]]
            _show_outputs(cell, report)
            stopped = "hung" if report.ran_too_long else report.ending
            if stopped:
                flags.append(Flag("cell-stopped", f"cell {index + 1}: {STOPPED[stopped]}"))
    flags += [
        Flag("shortcut", f"{exercise} uses {', '.join(names)}")
        for exercise, names in shortcuts.items()
    ]
    verdict = {
        "sheet": sheet.name,
        "student": student,
        "score": round(sum(check["points"] for check in checks), 6),
        "max_score": sheet.max_score,
        "manual_max": sheet.manual_max,
        "sandbox": sandbox.LOCKED if locked else sandbox.UNLOCKED,
        "checks": checks,
        "flags": [asdict(flag) for flag in flags],
        "seconds": round(time.monotonic() - started, 2),
    }
    return Graded(verdict, notebook)


def _file_flags(sheet: Sheet, given: dict[str, bytes]) -> list[Flag]:
    """What is wrong with the files that a sheet asks for."""
    flags = []
    for name, limit in sheet.files.items():
        if name not in given:
            flags.append(Flag("file-missing", f"{name}: not handed in beside the notebook"))
        elif len(given[name]) > limit:
            flags.append(Flag("file-too-large", f"{name}: more than {limit:,} bytes"))
    return flags


def _entry(
    check: Check, verdict: str, message: str, points: float, shortcuts: list[str]
) -> dict[str, Any]:
    if verdict == "pass" and points < check.points:
        message = f"{points:g} of {check.points:g} points"
    if shortcuts and (verdict == "pass" or message == SHORTCUT):
        verdict, points = "fail", 0.0
        message = f"{', '.join(shortcuts)}: not allowed here, since you are asked to write it"
    return {
        "id": check.id,
        "exercise": check.exercise,
        "points": points,
        "max_points": check.points,
        "verdict": verdict,
        "message": message,
    }


def _that_ran_too_long(
    notebook: NotebookNode, plan: Plan, reports: dict[int, CellReport]
) -> list[str]:
    """Exercises whose tests were stopped at their limit."""
    return list(
        dict.fromkeys(
            exercise_of(grade_id(notebook.cells[index]))
            for index, steps in plan.tests.items()
            if any(step in reports and reports[step].ran_too_long for step in steps)
        )
    )


def _that_do_not_run(
    notebook: NotebookNode, plan: Plan, reports: dict[int, CellReport]
) -> dict[str, str]:
    """Exercises whose own cell fails, and how: what it was to define is not there then."""
    return {
        grade_id(notebook.cells[index]): _PLACE.sub(r"(\1)", f"{error.name}: {error.message}")
        for index, step in plan.shown.items()
        if is_solution(notebook.cells[index])
        and step in reports
        and (error := reports[step].error) is not None
    }


def _show_verdict(cell: NotebookNode, verdict: dict[str, Any]) -> None:
    """Write the verdict where nbgrader reads a grade.

    A test cell without output has passed, a number is a part of the points, an error is none.
    """
    if verdict["verdict"] == "pass" and verdict["points"] < verdict["max_points"]:
        part = repr(verdict["points"])
        cell.outputs = [new_output("execute_result", data={"text/plain": part}, execution_count=1)]
    if verdict["verdict"] != "pass":
        name, message = verdict["verdict"], verdict["message"]
        cell.outputs = [
            new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        ]


def _show_outputs(cell: NotebookNode, report: CellReport) -> None:
    for output in report.outputs:
        if "png" in output:
            cell.outputs.append(new_output("display_data", data={"image/png": output["png"]}))
        else:
            cell.outputs.append(new_output("stream", name="stdout", text=output["text"]))
    if report.error:
        name, message = report.error.name, report.error.message
        cell.outputs.append(
            new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        )
