"""The order of the steps, and what is run again where a student's kernel ends."""

from dataclasses import replace

import pytest
from made_up import as_bytes, changed, code_cell, handed_in, notebook_of, sheet_from

from autograder import plan as plans
from autograder.bindings import looked_up
from autograder.cell_reports import CellError, CellReport
from autograder.plan import make_plan, run_plan
from autograder.rebuild import rebuild
from autograder.student_side.limits import Limits

STUDENT = ["setup", "total", "cell-7", "mean", "clip", "celsius"]
TOTAL = "nbgrader: {grade_id: total, solution: true}"
TESTS = ["test_total", "test_mean", "test_clip", "test_clip__low", "test_celsius"]
HIDING = [name for name in TESTS if name != "test_clip"]


@pytest.fixture(scope="module")
def plan(sheet):
    return make_plan(sheet, sheet.notebook)


# What is run, in which order.


def test_all_of_the_students_cells_then_the_tests_as_released_then_whole(sheet, plan):
    code = {cell.source: cell.id for cell in sheet.notebook.cells if cell.cell_type == "code"}
    assert [code[step["source"]] for step in plan.work.cells] == STUDENT
    assert [step["id"] for step in plan.work.tests] == [*TESTS, *HIDING]
    assert [step["released"] for step in plan.work.tests] == [True] * 5 + [False] * 4
    assert [step["index"] for step in plan.work.cells + plan.work.tests] == list(range(15))


def test_a_test_with_nothing_hidden_runs_once(sheet, plan):
    ids = {index: cell.id for index, cell in enumerate(sheet.notebook.cells)}
    once = [ids[index] for index, (released, whole) in plan.tests.items() if released == whole]
    assert once == ["test_clip"]


def test_the_first_runs_see_no_hidden_test(plan):
    released, whole = plan.work.tests[:5], plan.work.tests[5:]
    assert "31337" not in "".join(step["source"] for step in released)
    assert "31337" in "".join(step["source"] for step in whole)


def test_steps_know_their_cells(sheet, plan):
    steps = {step["index"]: step for step in plan.work.cells + plan.work.tests}
    for index, step in plan.shown.items():
        assert steps[step]["source"] == sheet.notebook.cells[index].source
    for index, (released, whole) in plan.tests.items():
        assert steps[whole]["source"] == sheet.notebook.cells[index].source
        assert steps[released]["id"] == steps[whole]["id"] == sheet.notebook.cells[index].id


def test_a_partial_run_has_the_wanted_checks_and_no_cells_that_only_show(sheet, plan):
    part = make_plan(sheet, sheet.notebook, only=frozenset({"clip"})).work
    assert [step["id"] for step in part.tests] == [*TESTS[2:4], "test_clip__low"]
    sources = [step["source"] for step in plan.work.cells]
    assert [step["source"] for step in part.cells] == [*sources[:2], *sources[3:]]


def test_the_authors_cells_are_the_authors_whatever_a_student_made_of_them(sheet):
    data = handed_in(sheet).replace(b"import math", b"import math\\nx = 1")
    assert "x = 1" not in "".join(make_plan(sheet, rebuild(sheet, data).notebook).sources())


def test_a_cell_that_shows_a_result_may_have_a_time_of_its_own(tmp_path):
    shows = "```{code-cell} ipython3\nshown"
    text = changed(shows, shows.replace("\n", "\n---\nlimits: {cell_seconds: 3}\n---\n"))
    own = sheet_from(tmp_path, text)
    extra = code_cell("extra = 1") | {"metadata": {"limits": {"cell_seconds": 99}}}
    notebook = notebook_of(own)
    notebook["cells"].append(extra)
    work = make_plan(own, rebuild(own, as_bytes(notebook)).notebook).work
    times = {step["source"].partition("\n")[0]: step["seconds"] for step in work.cells}
    assert times["shown = total([1, 2, 3])"] == 3
    assert times["extra = 1"] == times["import math"] == 10


def test_a_cell_that_shows_a_result_has_less_time_than_an_exercise(tmp_path):
    limits = "limits: {cell_seconds: 10, submission_seconds: 30"
    own = sheet_from(tmp_path, changed(limits, f"{limits}, show_seconds: 4"))
    times = [step["seconds"] for step in make_plan(own, own.notebook).work.cells]
    assert times == [4 if name == "cell-7" else 10 for name in STUDENT]


def test_extra_cells_are_the_students(sheet):
    notebook = notebook_of(sheet)
    notebook["cells"].append(code_cell("extra = 1"))
    work = make_plan(sheet, rebuild(sheet, as_bytes(notebook)).notebook).work
    assert work.cells[-1]["source"] == "extra = 1"
    assert "extra = 1" not in work.setup
    assert "extra" not in work.names


def test_every_step_has_the_limits_of_its_exercise(tmp_path):
    text = changed(TOTAL, f"{TOTAL}\nlimits: {{cell_seconds: 25, value_items: 7}}")
    sheet = sheet_from(tmp_path, text)
    work = make_plan(sheet, sheet.notebook).work
    seconds = dict(zip(STUDENT, (step["seconds"] for step in work.cells), strict=True))
    assert (seconds["total"], seconds["mean"]) == (25, 10)
    limits = {step["id"]: Limits(**step["limits"]) for step in work.tests}
    assert limits["test_mean"] == Limits(cell_seconds=10, submission_seconds=30)
    assert limits["test_total"] == replace(limits["test_mean"], cell_seconds=25, value_items=7)


def test_what_was_handed_in_and_what_is_forbidden_is_passed_on(sheet):
    work = make_plan(sheet, sheet.notebook, files={"a": b"1"}, forbidden=("math.fsum",)).work
    assert (work.files, work.forbidden) == ({"a": b"1"}, ("math.fsum",))


# Which cells prepare the tests, and which names are the student's.


def test_tests_see_the_names_that_students_are_given_to_define(sheet, plan):
    assert plan.work.names == ["celsius", "clip", "mean", "total"]
    assert set(sheet.names) == set(plan.work.names)


def test_names_inside_a_solution_are_not_released(tmp_path):
    body = "    ### BEGIN SOLUTION\n    result = 0\n"
    outside = "HALF = 0.5\n\n\ndef total(numbers):"
    text = changed(body, f"{body}    global inner\n    inner = 1\n")
    sheet = sheet_from(tmp_path, changed("def total(numbers):", outside, text))
    assert set(sheet.names) == {"HALF", "total", "mean", "clip", "celsius"}


def test_cells_that_use_nothing_of_the_students_prepare_the_tests(sheet, plan):
    assert plan.work.setup == list(sheet.setup) == ["import math"]
    assert "import math" in [step["source"] for step in plan.work.cells], "in both kernels"


@pytest.mark.parametrize(
    ("cell", "prepares"),
    [
        ("import torch\nBOXES = torch.zeros(3, 4)", True),
        ("def near(a, b):\n    return math.isclose(a, b)", True),
        ("print(total([1, 2]))", False),
        ("def show():\n    return total([1, 2])", False),
        ("%matplotlib inline\nimport torch", False),
        ("total = 3", True),
    ],
)
def test_a_cell_prepares_the_tests_or_shows_the_students_result(tmp_path, cell, prepares):
    text = changed('shown = total([1, 2, 3])\nprint("the total is", shown)', cell)
    assert (cell in sheet_from(tmp_path, text).setup) is prepares


def test_what_a_cell_made_of_the_students_result_is_the_students_too(tmp_path):
    later = "```{code-cell} ipython3\nprint(shown)\n```\n\n## Mean"
    sheet = sheet_from(tmp_path, changed("## Mean", later))
    assert list(sheet.setup) == ["import math"]


def test_names_that_code_looks_up():
    assert looked_up("a = b + c.d\ndef f(e):\n    return e(g)") == {"b", "c", "e", "g"}
    assert looked_up("%time x") is None


# The seed of the tests.


def test_the_seed_is_the_same_for_the_same_submission_alone(sheet, plan, tmp_path):
    other = rebuild(sheet, handed_in(sheet, clip="def clip(*_):\n    return 0")).notebook
    edited = sheet_from(tmp_path, changed("assert total([]) == 0", "assert total([]) == 0.0"))
    seeds = [
        plan.work.seed,
        make_plan(sheet, other).work.seed,
        make_plan(edited, sheet.notebook).work.seed,
    ]
    assert make_plan(sheet, sheet.notebook).work.seed == plan.work.seed
    assert len(set(seeds)) == 3, "it depends on what was handed in, and on the hidden tests"
    assert all(0 <= seed < 2**63 for seed in seeds)


# What is run again.


class Engine:
    """Stands in for the engine: steps named in `endings` end the kernel, once each run."""

    def __init__(self, endings: dict[str, str] | None = None, **others: str) -> None:
        self.endings = (endings or {}) | others
        self.runs: list[list[str]] = []
        self.limits: list[Limits] = []
        self.locked: set[bool] = set()

    def execute(self, work, limits, *, locked):
        named = [(STUDENT[step["index"]], step) for step in work.cells]
        named += [(step["id"], step) for step in work.tests]
        self.runs.append([name for name, _ in named])
        self.limits.append(limits)
        self.locked.add(locked)
        reports = {}
        for name, step in named:
            ending = self.endings.get(name, "")
            if ending in ("ValueError", "CellTimeoutError"):
                reports[step["index"]] = CellReport(error=CellError(ending, ""))
                continue
            said = [{"text": f"start {len(self.runs)}"}]
            reports[step["index"]] = CellReport(said, ending=ending)
            if ending:
                break
        return reports


@pytest.fixture
def run(monkeypatch, sheet, plan):
    """Runs the plan on such an engine; returns the endings by step."""

    def run(engine: Engine, **limits: float) -> dict[int, str]:
        monkeypatch.setattr(plans, "engine", engine)
        monkeypatch.setitem(sheet.__dict__, "limits", Limits(**limits))
        reports = run_plan(plan, sheet, locked=True)
        return {index: report.ending for index, report in reports.items() if report.ending}

    return run


def test_one_run_where_nothing_ends(run):
    engine = Engine()
    assert run(engine) == {}
    assert engine.runs == [[*STUDENT, *TESTS, *HIDING]]


@pytest.mark.parametrize("locked", [True, False])
def test_the_lock_is_the_callers_choice(monkeypatch, sheet, plan, locked):
    engine = Engine(test_clip="died")
    monkeypatch.setattr(plans, "engine", engine)
    run_plan(plan, sheet, locked=locked)
    assert engine.locked == {locked}


@pytest.mark.parametrize("ending", ["died", "hung", "memory", "protocol"])
def test_a_check_that_ends_the_kernel_takes_its_exercise_alone_down(run, ending):
    engine = Engine(test_clip=ending)
    assert run(engine) == {8: ending}
    assert engine.runs[1:] == [
        [*STUDENT, "test_celsius", "test_total", "test_mean", "test_celsius"]
    ]


def test_exercises_that_use_what_ended_the_kernel_go_last(run):
    engine = Engine(test_total="hung")
    assert run(engine) == {6: "hung"}
    rest = ["test_clip__low", "test_celsius"]
    assert engine.runs[1:] == [[*STUDENT, "test_clip", *rest, *rest, "test_mean", "test_mean"]]


def test_an_exercise_that_hangs_in_another_leaves_the_points_of_the_rest(run):
    engine = Engine(test_total="hung", test_mean="hung")
    assert run(engine) == {6: "hung", 7: "hung"}
    assert engine.runs[2:] == [], "nothing was left to run"


def test_a_cell_that_ends_the_kernel_is_left_out(run):
    engine = Engine(mean="died")
    assert run(engine) == {3: "died"}
    rest = ["setup", "total", "cell-7", "clip", "celsius"]
    assert engine.runs[1:] == [[*rest, *TESTS, *HIDING]]


def test_a_picture_that_took_all_of_its_time_is_not_drawn_again(run):
    engine = Engine({"cell-7": "CellTimeoutError"}, test_clip="hung")
    assert run(engine) == {8: "hung"}
    rest = [name for name in STUDENT if name != "cell-7"]
    assert engine.runs[1][: len(rest)] == rest


def test_an_exercise_whose_picture_took_too_long_goes_last(run):
    # The picture calls `total`. What hangs is reached before the others are run whole.
    engine = Engine({"cell-7": "CellTimeoutError"}, test_celsius="hung")
    run(engine)
    rest = [name for name in STUDENT if name != "cell-7"]
    assert engine.runs[1] == [*rest, "test_mean", "test_clip__low", "test_total"]


def test_a_slow_cell_of_the_students_own_runs_again_for_the_names_that_it_defines(run):
    engine = Engine(mean="CellTimeoutError", test_clip="hung")
    run(engine)
    assert engine.runs[1][: len(STUDENT)] == STUDENT


def test_what_failed_as_released_is_not_run_whole_after_a_new_start(run):
    engine = Engine(test_total="ValueError", test_celsius="died")
    run(engine)
    assert engine.runs[1:] == [[*STUDENT, "test_mean", "test_clip__low"]]


def test_what_a_cell_said_after_a_hidden_input_was_seen_is_not_shown(monkeypatch, sheet, plan):
    monkeypatch.setattr(plans, "engine", Engine(test_clip="died"))
    reports = run_plan(plan, sheet, locked=True)
    said = {reports[step].outputs[0]["text"] for step in plan.shown.values()}
    assert said == {"start 1"}


def test_the_submissions_time_is_not_reset(run):
    engine = Engine(test_total="died")
    run(engine, submission_seconds=100, memory_bytes=9)
    first, second = engine.limits
    assert second.submission_seconds < first.submission_seconds <= 100
    assert second.memory_bytes == first.memory_bytes == 9


def test_no_new_start_once_the_submissions_time_is_used_up(run):
    engine = Engine(test_total="timeout")
    assert run(engine) == {6: "timeout"}
    assert len(engine.runs) == 1


def test_no_start_without_time(run):
    engine = Engine()
    run(engine, submission_seconds=0.0)
    assert engine.runs == []


def test_new_starts_have_an_end(run):
    engine = Engine(**dict.fromkeys([*STUDENT, *TESTS], "died"))
    run(engine)
    assert len(engine.runs) == 6
