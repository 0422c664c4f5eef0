"""The class report: how a class did on a sheet, and what it got wrong."""

import base64
import io
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.grading import Verdict
from autograder.sheets import Sheet

# How many of a check's messages are listed; the rest are rare by construction.
_MESSAGES_A_CHECK = 5
_BAR = "#0072b2"  # Okabe–Ito blue: told apart with any colour vision, on white and on grey


@dataclass(frozen=True)
class CheckSummary:
    """How many passed one check, and what the others were told, most frequent first."""

    id: str
    label: str
    passed: int
    total: int
    messages: list[tuple[str, int]]

    @property
    def share(self) -> float:
        return self.passed / self.total if self.total else 0.0


def write_report(course: Course, sheet: Sheet) -> Path:
    """Write `report/<sheet>.html` and return its path.

    Raises:
        AutograderError: nothing has been graded yet.
    """
    verdicts = course.verdicts(sheet.name)
    if not verdicts:
        raise AutograderError(f"no graded submission of '{sheet.name}' in {course.root}")
    path = course.root / "report" / f"{sheet.name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(sheet, verdicts), encoding="utf-8")
    return path


def render(sheet: Sheet, verdicts: list[Verdict]) -> str:
    """The report's page for these verdicts."""
    scores = [verdict["score"] for verdict in verdicts]
    summaries = summarise(sheet, verdicts)
    environment = Environment(loader=PackageLoader("autograder"), autoescape=True)
    return environment.get_template("report.html").render(
        sheet=sheet,
        verdicts=sorted(verdicts, key=lambda verdict: (-verdict["score"], verdict["student"])),
        mean=statistics.fmean(scores),
        median=statistics.median(scores),
        summaries=summaries,
        scores_picture=_score_histogram(scores, sheet.max_score),
        checks_picture=_pass_rates(summaries),
        unreadable=[v for v in verdicts if any(f["kind"] == "unreadable" for f in v["flags"])],
        flags=[(v["student"], flag) for v in verdicts for flag in v["flags"]],
        sandboxed=all(verdict["sandbox"] != "none" for verdict in verdicts),
    )


def summarise(sheet: Sheet, verdicts: list[Verdict]) -> list[CheckSummary]:
    """One summary a check, in the sheet's order."""
    summaries = []
    for check in sheet.checks:
        results = [c for verdict in verdicts for c in verdict["checks"] if c["id"] == check.id]
        failed = Counter(c["message"] for c in results if c["verdict"] != "pass")
        passed = sum(c["verdict"] == "pass" for c in results)
        common = failed.most_common(_MESSAGES_A_CHECK)
        summaries.append(CheckSummary(check.id, check.label, passed, len(results), common))
    return summaries


def _score_histogram(scores: list[float], max_score: float) -> str:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.hist(
        scores, bins=[edge - 0.5 for edge in range(int(max_score) + 2)], color=_BAR, rwidth=0.9
    )
    axes.set(xlabel=f"points of {max_score:g}", ylabel="students")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return _as_png(figure)


def _pass_rates(summaries: list[CheckSummary]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 0.5 + 0.4 * len(summaries)), layout="constrained")
    axes = figure.subplots()
    names = [summary.label for summary in summaries]
    bars = axes.barh(names, [100 * summary.share for summary in summaries], color=_BAR)
    axes.bar_label(bars, labels=[f"{s.passed} of {s.total}" for s in summaries], padding=3)
    axes.invert_yaxis()
    axes.set(xlabel="students who passed, in per cent", xlim=(0, 115))
    return _as_png(figure)


def _as_png(figure: object) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)  # type: ignore[attr-defined]
    return base64.b64encode(buffer.getvalue()).decode()
