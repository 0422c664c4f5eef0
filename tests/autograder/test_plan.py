"""The order of the steps, and what is run again where a process ends."""

import pytest
from made_up import handed_in

from autograder import plan as plans
from autograder.cell_reports import CellError, CellReport
from autograder.plan import make_plan, run_plan
from autograder.rebuild import rebuild
from autograder.sheets import Limits

TESTS = ["test_total", "test_mean", "test_clip", "test_clip__low", "test_celsius"]


@pytest.fixture(scope="module")
def plan(sheet):
    return make_plan(sheet, sheet.notebook)


def test_all_of_the_students_cells_then_the_tests_as_released_then_whole(plan):
    ids = [step["id"] for step in plan.steps]
    assert ids == ["setup", "total", "cell-7", "mean", "clip", "celsius", *TESTS, *TESTS]
    assert [step["kind"] for step in plan.steps] == ["student"] * 6 + ["test"] * 10
    assert [step["index"] for step in plan.steps] == list(range(16))


def test_the_first_runs_see_no_hidden_test(plan):
    released, whole = plan.steps[6:11], plan.steps[11:]
    assert "31337" not in "".join(step["source"] for step in released)
    assert "31337" in "".join(step["source"] for step in whole)


def test_steps_know_their_cells(sheet, plan):
    for index, step in plan.shown.items():
        assert plan.steps[step]["source"] == sheet.notebook.cells[index].source
    for index, (released, whole) in plan.tests.items():
        assert plan.steps[whole]["source"] == sheet.notebook.cells[index].source
        assert plan.steps[released]["id"] == plan.steps[whole]["id"]


def test_a_partial_run_has_the_wanted_checks_and_no_cells_that_only_show(sheet):
    ids = [s["id"] for s in make_plan(sheet, sheet.notebook, frozenset({"clip"})).steps]
    assert ids == ["setup", "total", "mean", "clip", "celsius", *TESTS[2:4], *TESTS[2:4]]


def test_extra_cells_are_the_students(sheet):
    data = handed_in(sheet).replace(b"import math", b"import math\\nx = 1")
    assert "x = 1" not in "".join(make_plan(sheet, rebuild(sheet, data).notebook).sources())


class Engine:
    """Stands in for the engine: steps named in `endings` end the process, once each run."""

    def __init__(self, **endings: str) -> None:
        self.endings = endings
        self.runs: list[list[str]] = []
        self.limits: list[Limits] = []

    def execute(self, steps, limits):
        self.runs.append([step["id"] for step in steps])
        self.limits.append(limits)
        reports = {}
        for step in steps:
            ending = self.endings.get(step["id"], "")
            if ending == "error":
                reports[step["index"]] = CellReport(error=CellError("ValueError", ""))
                continue
            said = [{"text": f"start {len(self.runs)}"}]
            reports[step["index"]] = CellReport(said, ending=ending)
            if ending:
                break
        return reports


def run(monkeypatch, plan, engine: Engine, limits: Limits | None = None) -> dict:
    monkeypatch.setattr(plans, "engine", engine)
    reports = run_plan(plan, limits or Limits())
    return {index: report.ending for index, report in reports.items() if report.ending}


STUDENT = ["setup", "total", "cell-7", "mean", "clip", "celsius"]


def test_one_run_where_nothing_ends(monkeypatch, plan):
    engine = Engine()
    assert run(monkeypatch, plan, engine) == {}
    assert engine.runs == [[*STUDENT, *TESTS, *TESTS]]


@pytest.mark.parametrize("ending", ["died", "hung", "protocol"])
def test_a_check_that_ends_the_process_takes_its_exercise_alone_down(monkeypatch, plan, ending):
    engine = Engine(test_clip=ending)
    assert run(monkeypatch, plan, engine) == {8: ending}
    assert engine.runs[1:] == [
        [*STUDENT, "test_celsius", "test_total", "test_mean", "test_celsius"]
    ]


def test_a_cell_that_ends_the_process_is_left_out(monkeypatch, plan):
    engine = Engine(mean="died")
    assert run(monkeypatch, plan, engine) == {3: "died"}
    rest = ["setup", "total", "cell-7", "clip", "celsius"]
    assert engine.runs[1:] == [[*rest, *TESTS, *TESTS]]


def test_what_failed_as_released_is_not_run_whole_after_a_new_start(monkeypatch, plan):
    engine = Engine(test_total="error", test_celsius="died")
    run(monkeypatch, plan, engine)
    assert engine.runs[1:] == [[*STUDENT, "test_mean", "test_clip", "test_clip__low"]]


def test_what_a_cell_said_after_a_hidden_input_was_seen_is_not_shown(monkeypatch, plan):
    monkeypatch.setattr(plans, "engine", Engine(test_clip="died"))
    reports = run_plan(plan, Limits())
    said = {reports[step].outputs[0]["text"] for step in plan.shown.values()}
    assert said == {"start 1"}


def test_the_submissions_time_is_not_reset(monkeypatch, plan):
    engine = Engine(test_total="died")
    run(monkeypatch, plan, engine, Limits(submission_seconds=100))
    first, second = engine.limits
    assert second.submission_seconds < first.submission_seconds <= 100


def test_no_new_start_once_the_submissions_time_is_used_up(monkeypatch, plan):
    engine = Engine(test_total="timeout")
    assert run(monkeypatch, plan, engine) == {6: "timeout"}
    assert len(engine.runs) == 1


def test_no_start_without_time(monkeypatch, plan):
    engine = Engine()
    run(monkeypatch, plan, engine, Limits(submission_seconds=0.0))
    assert engine.runs == []


def test_new_starts_have_an_end(monkeypatch, plan):
    engine = Engine(**dict.fromkeys([*STUDENT, *TESTS], "died"))
    run(monkeypatch, plan, engine)
    assert len(engine.runs) == 6
