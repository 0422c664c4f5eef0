"""The cell with which a published notebook gets the course, where it is not installed.

Colab has most packages and none of the course. Where `detseg` can be imported, the cell does
nothing: in the students' bundle, in the environment of the repository, when a sheet is graded.
"""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

# What the notebooks and `detseg` import, by the name under which pip knows it.
PACKAGES = {
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "PIL": "pillow",
    "pycocotools": "pycocotools",
    "requests": "requests",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "torch": "torch",
    "torchmetrics": "torchmetrics",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
}

_CELL = '''\
# @title Get the course, where it is not installed (in Colab, say)
def get_course(repository, branch, packages):
    """Clone the course into this folder and install what it needs and is missing."""
    import importlib.util
    import subprocess
    import sys
    from pathlib import Path

    def run(what, *command):
        print(what, flush=True)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{what}: this failed.\\n{done.stderr.strip()}")

    if importlib.util.find_spec("detseg"):
        return
    course = Path("detection-course").resolve()
    if not course.is_dir():
        clone = ["git", "clone", "--depth=1", f"--branch={branch}", repository, str(course)]
        run(f"Getting the course from {repository}", *clone)
    missing = [package for name, package in packages.items() if not importlib.util.find_spec(name)]
    if missing:
        install = [sys.executable, "-m", "pip", "install", "--quiet", *missing]
        run(f"Installing {', '.join(missing)}", *install)
    sys.path.insert(0, str(course))
    importlib.invalidate_caches()
    print("The course is ready.")


get_course(
    %(repository)r,
    %(branch)r,
    %(packages)s,
)
'''


def add_course_cell(notebook: NotebookNode, repository: str, branch: str) -> None:
    """Put the cell below a notebook's title.

    Args:
        notebook: a page's or a sheet's, whose first cell is text; changed in place.
        repository: address to clone from.
        branch: with the sources.
    """
    source = _CELL % {
        "repository": repository,
        "branch": branch,
        "packages": _as_lines(PACKAGES),
    }
    # Folded in JupyterLab, a form in Colab: nobody has to read it.
    metadata = {"jupyter": {"source_hidden": True}, "cellView": "form"}
    cell = new_code_cell(source.rstrip("\n"), metadata=metadata)
    cell["id"] = "get-course"
    notebook.cells.insert(1, cell)


def _as_lines(packages: dict[str, str]) -> str:
    entries = "".join(f"        {name!r}: {package!r},\n" for name, package in packages.items())
    return f"{{\n{entries}    }}"
