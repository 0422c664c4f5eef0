"""Submissions that attack the grader: none earns a point that its answers do not earn, tells what
a test holds, gets out of the sandbox, or leaves anything behind.

The attacks stand in `attacks/`.
"""

import json
import os
import socket
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from attacks import hard_code, notebooks, strange_notebooks, unreadable
from attacks.host import CANARY, canaries, left_behind
from attacks.reading import FOLDER, WRONG, Written, read
from IPython.core.inputtransformer2 import TransformerManager
from made_up import as_bytes, code_cell, flags, notebook_of

from autograder.course import Submission
from autograder.feedback import render
from autograder.grading import Graded, grade
from autograder.sheets import Sheet, load_sheet

FILES = sorted(path.stem for path in FOLDER.glob("*-*.md") if not path.stem.startswith("honest-"))
CORPUS = [written for name in FILES for written in read(name)]
PAIRS = [written for written in CORPUS if written.name.startswith("neighbouring-")]
ALONE = [written for written in CORPUS if written not in PAIRS]
# These take all that they can get, and are graded when nothing else is.
ALONE.sort(key=lambda written: written.name.startswith("exhausting-"))

# What only whoever grades knows: canaries, inputs of hidden tests, what is expected of them, names
# in their source.
SECRETS = (
    CANARY, "quokka", "86028121", "86028156", "plover7319", "4042300", "4042301", "12126900",
    "15485863", "30971726", "104659", "313977", "941931",
)  # fmt: skip

# A mistake in an attack, not an attack.
SLIPS = ("NameError", "ModuleNotFoundError", "IndentationError", "slip:")

# A graded notebook with all that an attack may show in it.
MAX_NOTEBOOK_BYTES = 7_000_000


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Sheet:
    """The sheet to be attacked."""
    folder = tmp_path_factory.mktemp("solutions")
    (folder / "attacked").mkdir()
    text = (FOLDER / "sheet.md").read_text(encoding="utf-8")
    (folder / "attacked" / "attacked.md").write_text(text, encoding="utf-8")
    return load_sheet("attacked", folder)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an attack may know of the machine, and the name that its processes take."""
    with canaries(tmp_path_factory.mktemp("host-of-canaries")) as known:
        yield known | {"process": f"{os.getpid()}"}


@pytest.fixture(scope="module")
def locked_in(attacked: Sheet, host: dict[str, Any]) -> dict[str, Any]:
    """The host, known to be out of reach: attacks are not run where they would hit this machine."""
    probe = """
import os, socket
attempts = {
    "read a file": lambda: open(host["file"]),
    "see a process": lambda: os.kill(host["pid"], 0),
    "make a file": lambda: os.mkdir(host["folder"] + "/stowaway"),
    "open a socket": lambda: socket.socket(socket.AF_INET),
    "run a program": lambda: os.execv("/bin/true", ["true"]),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except OSError:
        print("refused:", name)
"""
    graded = grade(attacked, submission(attacked, host, only_extras("probe", [], [probe])))
    if graded.verdict["sandbox"] == "none" or said(graded).count("refused:") != 5:
        pytest.fail(f"attacks are not run: the sandbox does not hold: {said(graded)}")
    return host


def submission(sheet: Sheet, host: dict[str, Any], written: Written) -> bytes:
    """The notebook of one attack, as it is handed in."""
    notebook = notebook_of(sheet, **written.answers)
    named = f"import ctypes\nctypes.CDLL(None).prctl(15, {host['process'].encode()!r}, 0, 0, 0)"
    first = [named, f"host = {host!r}", *written.first]
    notebook["cells"][:0] = [code_cell(source) for source in first]
    notebook["cells"] += [code_cell(source) for source in written.extras]
    return as_bytes(notebook)


def only_extras(name: str, first: list[str], extras: list[str]) -> Written:
    """A submission with a wrong `total`, like all that answer nothing themselves."""
    return Written(name, first=first, extras=extras, answers={"total": WRONG}, wrong={"total"})


def said(graded: Graded) -> str:
    """Everything that a submission and its verdict say to a person."""
    outputs = [cell.get("outputs") for cell in graded.notebook.cells]
    return json.dumps([graded.verdict, outputs], ensure_ascii=False)


def lost(verdict: dict[str, Any]) -> set[str]:
    return {check["exercise"] for check in verdict["checks"] if check["points"] == 0}


def assert_withstood(sheet: Sheet, graded: Graded, wrong: set[str], *, spoils: bool) -> None:
    """The points are those of the answers, and nothing that must not be said is said."""
    verdict = graded.verdict
    told = {check["id"]: (check["verdict"], check["message"]) for check in verdict["checks"]}
    assert wrong <= lost(verdict), told
    assert spoils or lost(verdict) == wrong, (told, verdict["flags"])
    assert {check["id"]: check["max_points"] for check in verdict["checks"]} == {
        check.id: check.points for check in sheet.checks
    }
    assert all(check["points"] in (0, check["max_points"]) for check in verdict["checks"])
    assert verdict["score"] == sum(check["points"] for check in verdict["checks"])
    assert (verdict["max_score"], verdict["manual_max"]) == (9.0, 2.0)
    spoken = said(graded)
    assert "ESCAPED" not in spoken, spoken
    page = render(sheet, verdict, graded.notebook, {})
    assert not [secret for secret in SECRETS if secret in spoken or secret in page]
    assert len(nbformat.writes(graded.notebook)) < MAX_NOTEBOOK_BYTES


def test_the_reference_is_right(attacked, host):
    graded = grade(attacked, submission(attacked, host, Written("right")))
    assert_withstood(attacked, graded, set(), spoils=False)


@pytest.mark.parametrize("attack", CORPUS, ids=str)
def test_an_attack_is_something_that_python_can_run(attack):
    assert attack.wrong
    assert attack.why or attack.answers or attack.extras
    transformed = TransformerManager().transform_cell
    for source in [*attack.first, *attack.answers.values(), *attack.extras, *attack.next]:
        compile(transformed(source), attack.name, "exec")


Outcome = list[tuple[Graded, list[str]]]


@pytest.fixture(scope="module")
def outcomes(request, attacked, locked_in) -> Iterator[Callable[[Written], Outcome]]:
    """Grades the attacks of this run, two at a time but for those that take all they can get."""
    tests = [item for item in request.session.items if item.name.startswith("test_an_attack[")]
    wanted = [item.callspec.params["attack"] for item in tests]
    with ThreadPoolExecutor(2) as pool:
        ahead = {
            attack.name: pool.submit(_outcome, attack, attacked, locked_in)
            for attack in wanted
            if not attack.name.startswith("exhausting-")
        }
        yield (
            lambda attack: (
                ahead[attack.name].result()
                if attack.name in ahead
                else _outcome(attack, attacked, locked_in)
            )
        )
        pool.shutdown(cancel_futures=True)


def _outcome(attack: Written, sheet: Sheet, host: dict[str, Any]) -> Outcome:
    """The attack, graded, and the submission after it where there is one; what each has left."""
    known = host | {"process": f"{CORPUS.index(attack)}-{os.getpid()}"}
    both = [attack]
    if attack.next:
        both.append(only_extras(attack.name, attack.first, attack.next))
    return [
        (grade(sheet, submission(sheet, known, written)), left_behind(known)) for written in both
    ]


@pytest.mark.parametrize("attack", ALONE, ids=str)
def test_an_attack(attack, attacked, outcomes):
    (graded, left), *after = outcomes(attack)
    assert_withstood(attacked, graded, attack.wrong, spoils=attack.spoils)
    assert attack.spoils or not [slip for slip in SLIPS if slip in said(graded)], said(graded)
    if attack.name.startswith(("escaping-", "leaking-finding")) and not attack.next:
        assert "refused:" in said(graded) or flags(graded.verdict), "nothing was tried"
    assert left == []
    for graded_next, left_next in after:
        assert_withstood(attacked, graded_next, {"total"}, spoils=False)
        assert left_next == []


@pytest.mark.parametrize("attack", PAIRS, ids=str)
def test_two_submissions_at_a_time(attack, attacked, locked_in):
    other = only_extras(attack.name, attack.first, attack.next)
    both = [submission(attacked, locked_in, written) for written in (attack, other)]
    with ThreadPoolExecutor(2) as pool:
        for graded in pool.map(lambda data: grade(attacked, data), both):
            assert_withstood(attacked, graded, {"total"}, spoils=False)


def _functions(module: types.ModuleType) -> list[Any]:
    functions = [value for value in vars(module).values() if isinstance(value, types.FunctionType)]
    return [f for f in functions if f.__module__ == module.__name__ and f.__name__[0] != "_"]


EDITS = [*_functions(notebooks), *_functions(strange_notebooks)]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edited_notebook(edit, attacked, host):
    notebook = notebook_of(attacked, total=WRONG)
    data = edit(notebook) or as_bytes(notebook)
    assert_withstood(attacked, grade(attacked, data), {"total"}, spoils=False)
    assert left_behind(host) == []


@pytest.mark.parametrize("name", hard_code.SOURCES)
def test_code_that_is_hard_to_parse(name, attacked):
    notebook = notebook_of(attacked, total=WRONG)
    notebook["cells"].append(code_cell(hard_code.SOURCES[name]))
    assert_withstood(attacked, grade(attacked, as_bytes(notebook)), {"total"}, spoils=False)


@pytest.mark.parametrize("name", unreadable.FILES)
def test_a_file_that_is_no_notebook(name, attacked, host):
    data = unreadable.FILES[name](notebook_of(attacked))
    graded = grade(attacked, data)
    assert_withstood(attacked, graded, set(attacked.exercises), spoils=False)
    assert [kind for kind, _ in flags(graded.verdict)] == ["unreadable"]
    assert left_behind(host) == []


def _link(path: Path, folder: Path) -> None:
    path.symlink_to(folder / "of-somebody-else.ipynb")


def _link_to_a_device(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


def _link_to_itself(path: Path, _: Path) -> None:
    path.symlink_to(path)


def _pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path, _: Path) -> None:
    path.mkdir()


def _socket(path: Path, _: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def _sparse_file(path: Path, _: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize(
    "make", [_link, _link_to_a_device, _link_to_itself, _pipe, _folder, _socket, _sparse_file]
)
def test_what_is_no_file(make, attacked, tmp_path):
    (tmp_path / "of-somebody-else.ipynb").write_bytes(as_bytes(notebook_of(attacked)))
    folder = tmp_path / "mallory"
    folder.mkdir()
    make(folder / "attacked.ipynb", tmp_path)
    data = Submission("mallory", "attacked", folder).read()
    assert grade(attacked, data).verdict["score"] == 0


def test_a_folder_that_is_a_link(attacked, tmp_path):
    (tmp_path / "honest").mkdir()
    (tmp_path / "honest" / "attacked.ipynb").write_bytes(as_bytes(notebook_of(attacked)))
    (tmp_path / "mallory").symlink_to(tmp_path / "honest")
    data = Submission("mallory", "attacked", tmp_path / "mallory").read()
    assert grade(attacked, data).verdict["score"] == 0
