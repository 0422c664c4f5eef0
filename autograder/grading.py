"""Grade one submission: bytes in, a verdict and a notebook out."""

import ast
import json
import time
from dataclasses import asdict, dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder import engine
from autograder.rebuild import Flag, Rebuilt, rebuild
from autograder.sheets import Check, Sheet, grade_id, is_code, is_test, region_lines
from autograder.shortcuts import find_shortcuts

Verdict = dict[str, Any]
"""The JSON object of one graded submission; its form is held by `tests/autograder`."""

HIDDEN_ERROR = "the code raised {name} on an input of the hidden tests"
HIDDEN_ERROR_AT = "the code raised {name} where this is checked: {check}"
UNREADABLE = "the notebook could not be read"
NOT_WRITTEN = "not written yet: the stub is still there"

# What an error in a test cell means for its check; any other exception is an "error".
_VERDICTS = {
    "AssertionError": "fail",
    "CellTimeoutError": "timeout",
    "Timeout": "timeout",
    "Died": "died",
    "MemoryError": "memory",
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
    sheet: Sheet, submission: bytes, *, student: str = "", allow_shortcuts: bool = False
) -> Graded:
    """Grade a notebook as handed in. Whatever the bytes are, there is a verdict."""
    return grade_rebuilt(
        sheet, rebuild(sheet, submission), student=student, allow_shortcuts=allow_shortcuts
    )


def grade_rebuilt(
    sheet: Sheet,
    rebuilt: Rebuilt,
    *,
    student: str = "",
    allow_shortcuts: bool = False,
    only: frozenset[str] | None = None,
) -> Graded:
    """Grade a notebook that has been rebuilt from the source.

    Args:
        only: exercises whose checks are run; the others are `not-run`. All where None.
    """
    started = time.monotonic()
    notebook, flags = rebuilt.notebook, list(rebuilt.flags)
    plan = _plan(sheet, notebook, only) if rebuilt.readable else []
    shortcuts = {} if allow_shortcuts else _shortcuts(sheet, plan)
    reports = engine.execute(plan, sheet.limits) if plan else {}
    checks = []
    for index, cell in enumerate(notebook.cells):
        if is_code(cell):
            cell.outputs = []
        report = reports.get(index)
        if is_test(cell):
            check = next(check for check in sheet.checks if check.id == grade_id(cell))
            verdict = _judge(check, cell, report, shortcuts.get(check.exercise, []))
            if not rebuilt.readable:
                verdict["message"] = UNREADABLE
            _show_verdict(cell, verdict)
            checks.append(verdict)
        elif report:
            _show_outputs(cell, report)
            if report["error"] and report["error"]["name"] in (
                "Died",
                "Timeout",
                "CellTimeoutError",
            ):
                flags.append(
                    Flag("cell-stopped", f"cell {index + 1}: {report['error']['message']}")
                )
    flags += [
        Flag("shortcut", f"{exercise} uses {', '.join(names)}")
        for exercise, names in shortcuts.items()
    ]
    verdict = {
        "sheet": sheet.name,
        "student": student,
        "score": sum(check["points"] for check in checks),
        "max_score": sheet.max_score,
        "manual_max": sheet.manual_max,
        "sandbox": engine.SANDBOX,
        "checks": checks,
        "flags": [asdict(flag) for flag in flags],
        "seconds": round(time.monotonic() - started, 2),
    }
    return Graded(verdict, notebook)


def _plan(
    sheet: Sheet, notebook: NotebookNode, only: frozenset[str] | None
) -> list[dict[str, Any]]:
    """All of the student's cells in order, then the tests: a function is graded as it stands
    when all cells have run."""
    wanted = {check.id for check in sheet.checks if only is None or check.exercise in only}
    student, tests = [], []
    for index, cell in enumerate(notebook.cells):
        if not is_code(cell):
            continue
        step = {"index": index, "id": grade_id(cell) or cell.id, "source": cell.source}
        if not is_test(cell):
            # A partial run is for its checks alone: cells that only show something are left out.
            if only is None or grade_id(cell):
                student.append(step | {"kind": "student"})
        elif grade_id(cell) in wanted:
            tests.append(step | {"kind": "test"})
    return student + tests


def _shortcuts(sheet: Sheet, plan: list[dict[str, Any]]) -> dict[str, list[str]]:
    sources = [step["source"] for step in plan if step["kind"] == "student"]
    return find_shortcuts(sources, sheet.exercises, sheet.forbidden)


def _judge(
    check: Check, cell: NotebookNode, report: dict[str, Any] | None, shortcuts: list[str]
) -> dict[str, Any]:
    verdict, message = "pass", ""
    if report is None:
        verdict, message = "not-run", "the check was not reached"
    elif report["error"]:
        verdict, message = _read_error(cell, report["error"])
    if verdict == "pass" and shortcuts:
        verdict = "fail"
        message = f"{', '.join(shortcuts)}: not allowed here, since you are asked to write it"
    return {
        "id": check.id,
        "exercise": check.exercise,
        "points": check.points if verdict == "pass" else 0.0,
        "max_points": check.points,
        "verdict": verdict,
        "message": message,
    }


def _read_error(cell: NotebookNode, error: dict[str, Any]) -> tuple[str, str]:
    """Verdict and message of a failed check.

    Beyond the first hidden line only the message that the author wrote is shown: an exception's
    text may quote the hidden input.
    """
    name, message = error["name"], error["message"]
    hidden = set(region_lines(cell.source, "HIDDEN TESTS")).intersection(error.get("lines", ()))
    verdict = _VERDICTS.get(name, "error")
    if verdict == "fail" or name in ("Timeout", "Died"):
        return verdict, message
    if name == "CellTimeoutError":
        return verdict, f"stopped: {message}"
    if name == "NotImplementedError" and not message:
        return verdict, NOT_WRITTEN
    if not hidden:
        return verdict, f"{name}: {message}"
    check = _message_from(cell.source, max(hidden))
    return verdict, (HIDDEN_ERROR_AT if check else HIDDEN_ERROR).format(name=name, check=check)


def _message_from(source: str, line: int) -> str:
    """What the next assert at or below `line` says, where that is plain text."""
    below = [
        n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Assert) and n.lineno >= line
    ]
    first = min(below, key=lambda node: node.lineno, default=None)
    if first and isinstance(first.msg, ast.Constant):
        return str(first.msg.value)
    return ""


def _show_verdict(cell: NotebookNode, verdict: dict[str, Any]) -> None:
    """Write the verdict where nbgrader reads a grade: a test cell without output has passed."""
    if verdict["verdict"] != "pass":
        name, message = verdict["verdict"], verdict["message"]
        cell.outputs = [
            new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        ]


def _show_outputs(cell: NotebookNode, report: dict[str, Any]) -> None:
    for output in report["outputs"]:
        if "png" in output:
            cell.outputs.append(new_output("display_data", data={"image/png": output["png"]}))
        else:
            cell.outputs.append(new_output("stream", name="stdout", text=output["text"]))
    if report["error"]:
        name, message = report["error"]["name"], report["error"]["message"]
        cell.outputs.append(
            new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        )
