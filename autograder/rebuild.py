"""Rebuild a submission from the instructor's source.

From the submission come only the source text of its solution cells, by grade id, and its extra
code cells, in place. Metadata, tags, outputs, attachments and the tests as handed in are dropped,
so that nothing but code and answers is the student's.
"""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.bindings import bound_names
from autograder.cells import grade_id, is_code, is_solution
from autograder.plain_text import plain
from autograder.sheets import Sheet

# Larger than any honest notebook with pictures; smaller than what makes a JSON parser suffer.
MAX_SUBMISSION_BYTES = 50_000_000

# The code of a whole sheet is a thirtieth of this, and the grader's own parser has to read it.
MAX_CODE_CHARACTERS = 300_000

# Flags quote what was handed in, and a person reads them.
_MAX_QUOTED = 80
_MAX_FLAGS = 50

# Tags with which an editor or executor would skip a cell or change how it runs.
_EXECUTION_TAGS = {"skip-execution", "raises-exception", "remove-cell", "parameters"}


@dataclass
class Flag:
    """Something about a submission that a person should know; it costs no points by itself."""

    kind: str
    detail: str


@dataclass
class Rebuilt:
    """A notebook that is safe to run, what was noticed, and whether the file could be read."""

    notebook: NotebookNode
    flags: list[Flag] = field(default_factory=list)
    readable: bool = True


@dataclass
class _Submitted:
    source: str
    is_code: bool
    id: str
    metadata: dict[str, Any]


def rebuild(sheet: Sheet, submission: bytes) -> Rebuilt:
    """The source notebook with the submission's answers in it.

    Solution cells that the submission lacks get the released stub back, unless an extra cell of
    the submission defines the name: then the stub would undo the student's work.
    """
    released = sheet.released
    flags: list[Flag] = []
    try:
        cells = _read(submission)
    except ValueError as error:
        notebook = _assemble(sheet, released, {}, {})
        return Rebuilt(notebook, [Flag("unreadable", str(error))], readable=False)
    known = {grade_id(cell): cell for cell in released.cells if grade_id(cell)}
    answers, extras = _sort_out(cells, released, known, flags)
    missing = [name for name in known if name not in {cell.id for cell in cells}]
    if answers:
        flags += [Flag("cell-missing", f"{name}: restored from the source") for name in missing]
    else:
        flags.append(Flag("wrong-sheet", f"no answer cell of '{sheet.name}' is in the notebook"))
    if len(flags) > _MAX_FLAGS:
        flags[_MAX_FLAGS:] = [Flag("more-flags", f"{len(flags) - _MAX_FLAGS} more")]
    return Rebuilt(_assemble(sheet, released, answers, extras), flags)


def _read(submission: bytes) -> list[_Submitted]:
    """The submission's cells.

    Parsed by hand and not by nbformat, which refuses a whole notebook for one odd key that some
    editor wrote, and which migrates what it reads.
    """
    if len(submission) > MAX_SUBMISSION_BYTES:
        raise ValueError(f"{len(submission)} bytes; at most {MAX_SUBMISSION_BYTES} are read")
    if not submission.strip():
        raise ValueError("nothing to read: the file is empty, missing, or a link")
    try:
        notebook = json.loads(submission.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a notebook: {error}") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError(
            "not a notebook: no list of cells (notebooks before format 4 are not read)"
        )
    read = [_read_cell(cell) for cell in cells if isinstance(cell, dict)]
    length = sum(len(cell.source) for cell in read if cell.is_code or cell.id)
    if length > MAX_CODE_CHARACTERS:
        raise ValueError(
            f"{length} characters of code and answers; at most {MAX_CODE_CHARACTERS} are read"
        )
    return read


def _read_cell(cell: dict) -> _Submitted:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = _mapping(cell.get("metadata"))
    name = _mapping(metadata.get("nbgrader")).get("grade_id")
    return _Submitted(
        source=_text(source) if isinstance(source, str) else "",
        is_code=cell.get("cell_type") == "code",
        id=_text(name) if isinstance(name, str) else "",
        metadata=metadata,
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(text: str) -> str:
    """Text that can be written as UTF-8, which JSON's halves of characters cannot, with \\n."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.encode("utf-8", "replace").decode("utf-8")


def _sort_out(
    cells: list[_Submitted],
    released: NotebookNode,
    known: dict[str, NotebookNode],
    flags: list[Flag],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Answers by grade id, and extra code cells by the id of the source cell that they follow."""
    ours = {cell.source.strip(): cell.id for cell in released.cells if not grade_id(cell)}
    answers: dict[str, list[str]] = {}
    extras: dict[str, list[str]] = {}
    anchor = ""
    for number, cell in enumerate(cells, start=1):
        if cell.id in known:
            anchor = cell.id
            _note_metadata(cell, known[cell.id], flags)
            if is_solution(known[cell.id]):
                answers.setdefault(cell.id, []).append(cell.source)
            elif cell.source.strip() != known[cell.id].source.strip():
                flags.append(Flag("cell-altered", f"{cell.id}: restored from the source"))
        elif cell.source.strip() in ours:
            anchor = ours[cell.source.strip()]
        elif cell.is_code and cell.source.strip():
            extras.setdefault(anchor, []).append(cell.source)
            if cell.id:
                flags.append(
                    Flag(
                        "cell-unknown",
                        f"cell {number}: '{_shortened(cell.id)}' run as an extra cell",
                    )
                )
    for name, sources in answers.items():
        if len(sources) > 1:
            flags.append(Flag("cell-duplicate", f"{name}: {len(sources)} cells, all are run"))
    return answers, extras


def _note_metadata(cell: _Submitted, expected: NotebookNode, flags: list[Flag]) -> None:
    """Flag metadata that would have changed how the cell is run or graded."""
    nbgrader = cell.metadata["nbgrader"]
    for key in ("grade", "solution", "points"):
        if nbgrader.get(key) != expected.metadata.nbgrader.get(key):
            flags.append(
                Flag("metadata-dropped", f"{key}: {_quoted(nbgrader.get(key))} on cell {cell.id}")
            )
    if cell.is_code != is_code(expected):
        flags.append(Flag("metadata-dropped", f"cell type changed on cell {cell.id}"))
    tags = cell.metadata.get("tags")
    for tag in sorted(
        _EXECUTION_TAGS.intersection(t for t in tags if isinstance(t, str))
        if isinstance(tags, list)
        else ()
    ):
        flags.append(Flag("metadata-dropped", f"tag {tag} on cell {cell.id}"))


def _quoted(value: object) -> str:
    """A value out of a submission, for a person to read: never long, never deep."""
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'}"
    return _shortened(repr(value))


def _shortened(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"


def _assemble(
    sheet: Sheet,
    released: NotebookNode,
    answers: dict[str, list[str]],
    extras: dict[str, list[str]],
) -> NotebookNode:
    notebook = deepcopy(sheet.notebook)
    stubs = {grade_id(cell): cell for cell in released.cells if grade_id(cell)}
    bound_in_extras = bound_names(source for sources in extras.values() for source in sources)
    cells = [extra_cell(source, "", index) for index, source in enumerate(extras.get("", []))]
    for cell in notebook.cells:
        name = grade_id(cell)
        if is_solution(cell):
            stub = "" if name in bound_in_extras else stubs[name].source
            cell.source = "\n\n".join(answers.get(name, [stub]))
        # nbgrader compares this checksum with the answer's to say "No response".
        if name:
            cell.metadata.nbgrader.checksum = stubs[name].metadata.nbgrader.checksum
        cells.append(cell)
        anchor = name or cell.id
        cells += [extra_cell(source, anchor, i) for i, source in enumerate(extras.get(anchor, []))]
    notebook.cells = cells
    return notebook


def extra_cell(source: str, anchor: str, index: int) -> NotebookNode:
    """A cell of the student's own, after the cell `anchor` of the source."""
    cell = new_code_cell(source, metadata={"course": {"extra": True}})
    cell.id = f"extra-{anchor or 'start'}-{index}"
    return cell
