"""Cells for the engine, run, and what came of them."""

from autograder.cell_reports import CellReport
from autograder.engine import execute
from autograder.sheets import Limits


def student(source: str) -> dict:
    return {"id": "answer", "kind": "student", "source": source}


def examine(source: str, name: str = "test_answer") -> dict:
    return {"id": name, "kind": "test", "source": source}


def run(*cells: dict, **limits: float) -> list[CellReport]:
    """Reports in the order of the cells; cells that were not reached are left out."""
    numbered = [cell | {"index": index} for index, cell in enumerate(cells)]
    reports = execute(numbered, Limits(**limits))
    assert list(reports) == list(range(len(reports)))
    return list(reports.values())


def texts(report: CellReport) -> str:
    return "".join(output.get("text", "") for output in report.outputs)


def names(reports: list[CellReport]) -> list[str]:
    return [report.error.name if report.error else report.ending for report in reports]
