"""Attacks by the notebook's JSON: other programs than Python's, things that are hard to read.

As in `notebooks`, every function is one.
"""

import base64
import copy
import json
import zlib

from made_up import code_cell, find_cell

RIGHT = "def total(numbers):\n    return sum(numbers)"


# Other programs than Python's.


def another_kernel(notebook):
    """The notebook names the program that runs it."""
    notebook["metadata"]["kernelspec"] = {
        "name": "../../stowaway", "language": "bash", "display_name": "Python 3",
        "argv": ["/bin/sh", "-c", "touch /tmp/stowaway"],
    }  # fmt: skip
    notebook["metadata"]["language_info"] = {"name": "bash", "file_extension": ".sh"}


def cells_of_another_language(notebook):
    """Magics that give a cell to a shell."""
    for magic in ("%%bash", "%%sh", "%%script sh", "%%perl", "%%system", "%%!"):
        notebook["cells"].append(code_cell(f"{magic}\necho ESC''APED | tee /tmp/stowaway"))


def magics_that_reach_out(notebook):
    """Lines that load, write, install or run something else."""
    for line in (
        "%pip install stowaway", "%run /tmp/stowaway", "%load_ext stowaway", "%store -r",
        "%%writefile /tmp/stowaway\nx", "%logstart /tmp/stowaway", "%save /tmp/stowaway 1",
        "%edit", "%debug", "%pdb on", "%autoreload 2", "%env HOME=/", "%cd /", "%reset -f",
        "%config Application.log_level=10", "%notebook /tmp/stowaway", "%history -g", "%bookmark x",
    ):  # fmt: skip
        notebook["cells"].append(code_cell(line))
    # What %reset removed comes back.
    notebook["cells"] += [
        copy.deepcopy(cell) | {"metadata": {}}
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution") and cell["cell_type"] == "code"
    ]
    notebook["cells"].insert(-6, code_cell("import torch\nfrom torch import nn"))


# Things that are hard to read.


def ids_that_are_paths(notebook):
    """An id that becomes a file name, a key or a line."""
    for name in ("../../stowaway", "/etc/passwd", "a\nb", "", "__proto__", "x" * 1_000_000, "\0"):
        notebook["cells"].append(code_cell("x = 1", nbgrader={"grade_id": name, "solution": True}))


def ids_that_are_no_text(notebook):
    """Metadata of other types than anybody expects."""
    for value in (7, None, [], {}, True, 1e308, ["total"], {"grade_id": "total"}):
        notebook["cells"].append(code_cell("x = 1", nbgrader={"grade_id": value}))
        notebook["cells"].append(code_cell("x = 1", nbgrader=value))
        notebook["cells"].append(code_cell("x = 1") | {"metadata": value})
        notebook["cells"].append(code_cell(value))
        notebook["cells"].append(value)


def halves_of_characters(notebook):
    """JSON can write them, UTF-8 cannot: the graded notebook is never written."""
    notebook["cells"].append(code_cell("x = '\ud800'\nprint('\udfff')", name="\ud800"))
    find_cell(notebook, "written_why")["source"] = "because \ud800\udfff \x00 \x1b]0;x\x07"


def characters_that_end_a_line_or_a_text(notebook):
    """What Python, JSON, HTML and terminals each take for an end."""
    for mark in "\x00\x0b\x0c\x1c\x85\u2028\u2029\ufeff\x1a\x04":
        notebook["cells"].append(code_cell(f"x = 1{mark}y = 2"))


def the_same_key_twice(notebook):
    """One reader takes the first, another one the last."""
    text = json.dumps(notebook)
    find_cell(notebook, "total")["source"] = RIGHT
    other = json.dumps(notebook["cells"])
    return text.replace('"cells":', f'"cells": {other}, "cells":', 1).encode()


def deep_metadata(notebook):
    """Whoever copies it by recursion gets no further than the stack."""
    deep: list = []
    for _ in range(500):
        deep = [deep]
    notebook["metadata"]["deep"] = deep
    find_cell(notebook, "total")["metadata"]["deep"] = deep


def outputs_that_unpack(notebook):
    """Thirty megabytes of text, and a picture that is four gigabytes when it is unpacked."""
    rows = zlib.compress(bytes(10_000_000), 9)
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + rows).decode()
    cell = code_cell("x = 1")
    cell["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 30_000_000},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}},
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"text/html": "<script>x</script>"},
        },
    ]
    notebook["cells"].append(cell)
    notebook["cells"][0]["attachments"] = {"x.png": {"image/png": picture}}


def more_cells_than_anybody_writes(notebook):
    """Each is a step, a report and a row."""
    notebook["cells"] += [code_cell("pass") for _ in range(1_000)]


def cells_that_say_they_are_many(notebook):
    """Flags about a submission are read by a person."""
    for number in range(2_000):
        meta = {"grade_id": f"x{number}" * 50, "solution": True}
        notebook["cells"].append(code_cell("pass", nbgrader=meta))
