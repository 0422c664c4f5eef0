"""The same submission saved by other editors, and files that are no submission."""

import json

import pytest
from made_up import handed_in, notebook_of
from rebuilding import ANSWER, flags, rebuilt_from, source_of, stub

from autograder.rebuild import MAX_CODE_CHARACTERS, MAX_SUBMISSION_BYTES, rebuild


@pytest.fixture
def notebook(sheet):
    """A complete submission as JSON, to be spoilt."""
    return notebook_of(sheet)


# What editors make of the same notebook.


def test_windows_line_ends(sheet):
    text = json.dumps(notebook_of(sheet, total=ANSWER), indent=1)
    rebuilt = rebuild(sheet, text.replace("\\n", "\\r\\n").replace("\n", "\r\n").encode())
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_a_byte_order_mark(sheet):
    rebuilt = rebuild(sheet, b"\xef\xbb\xbf" + handed_in(sheet, total=ANSWER))
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_source_as_a_list_of_lines(sheet):
    notebook = notebook_of(sheet, total=ANSWER)
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_saved_by_colab(sheet):
    notebook = notebook_of(sheet, total=ANSWER)
    notebook["metadata"] = {
        "colab": {"provenance": [], "toc_visible": True}, "kernelspec": {"name": "python3"}
    }  # fmt: skip
    notebook["nbformat_minor"] = 0
    for number, cell in enumerate(notebook["cells"]):
        del cell["id"]
        cell["metadata"] |= {"id": f"aB{number}", "colab": {"base_uri": "https://localhost/"}}
        cell["source"] = cell["source"].splitlines(keepends=True)
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_saved_by_an_editor_that_adds_keys(sheet):
    notebook = notebook_of(sheet, total=ANSWER)
    notebook["metadata"]["language_info"] = {"name": "python"}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"vscode": {"languageId": "python"}, "slideshow": None}
        cell["unheard_of"] = 1
        cell["source"] += "\n"
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == f"{ANSWER}\n"


# What cannot be read.


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing to read: the file is empty, missing, or a link"),
        (b" \n", "nothing to read"),
        (b"{", "not a notebook: Expecting"),
        (b'{"cells": [', "not a notebook: Expecting"),
        (b"\xff\xfe{}", "not a notebook: "),
        (b"\x80\x04\x95", "not a notebook: "),
        (b"[]", "no list of cells"),
        (b"3", "no list of cells"),
        (b"null", "no list of cells"),
        (b"{}", "no list of cells"),
        (b'{"cells": {"a": 1}}', "no list of cells"),
        (b'{"worksheets": [{"cells": []}], "nbformat": 3}', "notebooks before format 4"),
        (b"[" * 100_000, "not a notebook: "),
        (b'{"cells": [' + b'{"source": [' * 100_000, "not a notebook: "),
        (b'{"cells": ' + b"9" * 5000 + b"}", "not a notebook: "),
    ],
)
def test_what_is_no_notebook(sheet, data, reason):
    rebuilt = rebuild(sheet, data)
    assert not rebuilt.readable
    ((kind, detail),) = flags(rebuilt)
    assert kind == "unreadable"
    assert reason in detail
    assert source_of(rebuilt, "total") == stub(sheet, "total")


def test_a_file_that_is_too_large(sheet):
    rebuilt = rebuild(sheet, handed_in(sheet) + b" " * MAX_SUBMISSION_BYTES)
    assert not rebuilt.readable
    assert "bytes; at most 50000000 are read" in rebuilt.flags[0].detail


def test_more_code_than_a_person_writes(sheet):
    rebuilt = rebuild(sheet, handed_in(sheet, total="x = 1\n" * (MAX_CODE_CHARACTERS // 5)))
    assert not rebuilt.readable
    assert "characters of code and answers; at most 300000 are read" in rebuilt.flags[0].detail


def test_much_text_in_other_cells_is_no_matter(sheet, notebook):
    notebook["cells"][0]["source"] = "x" * (MAX_CODE_CHARACTERS + 1)
    assert rebuilt_from(sheet, notebook).readable


def test_halves_of_characters_are_replaced(sheet):
    data = handed_in(sheet, total="x = '\ud800'")
    assert rb"\ud800" in data
    rebuilt = rebuild(sheet, data)
    assert source_of(rebuilt, "total") == "x = '?'"
    json.dumps(rebuilt.notebook, ensure_ascii=False).encode()
