"""Cells for the engine, run, and what came of them."""

from dataclasses import asdict

from autograder.bindings import bound_names
from autograder.cell_reports import CellReport
from autograder.engine import Work, execute
from autograder.student_side.limits import Limits


def student(source: str) -> dict:
    return {"source": source}


def examine(
    source: str, name: str = "test_answer", *, released: bool = True, **limits: float
) -> dict:
    """A test; `limits` are its own where they are not the submission's."""
    return {"id": name, "source": source, "released": released, "limits": limits}


def run(
    *cells: dict, work: dict | None = None, locked: bool = True, **limits: float
) -> list[CellReport]:
    """Reports in the order of the cells, students' first; those not reached are left out.

    Args:
        work: further fields of `engine.Work`. Unless they say otherwise, tests may use every name
            that the students' cells bind.
        limits: of the submission.
    """
    allowed = Limits(**limits)
    sources = [cell["source"] for cell in cells if "id" not in cell]
    given: dict = {"cells": [], "tests": [], "names": sorted(bound_names(sources))}
    for index, cell in enumerate(cells):
        step = cell | {"index": index}
        if "id" in cell:
            given["tests"].append(step | {"limits": asdict(allowed) | cell["limits"]})
        else:
            given["cells"].append(step | {"seconds": allowed.cell_seconds})
    reports = execute(Work(**given | (work or {})), allowed, locked=locked)
    assert list(reports) == list(range(len(reports)))
    return list(reports.values())


def texts(report: CellReport) -> str:
    return "".join(output.get("text", "") for output in report.outputs)


def names(reports: list[CellReport]) -> list[str]:
    return [report.error.name if report.error else report.ending for report in reports]
