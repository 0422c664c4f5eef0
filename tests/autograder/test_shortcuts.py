"""Forbidden calls are found however they are spelt, and charged to who uses them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.shortcuts import find_shortcuts

FORBIDDEN = ["torchvision.ops", "torch.ops.torchvision", "math.fsum"]
NMS = ["torchvision.ops.nms"]


def shortcuts(*cells: str, exercises: tuple[str, ...] = ("nms",)) -> dict[str, list[str]]:
    return find_shortcuts(cells, exercises, FORBIDDEN)


@pytest.mark.parametrize(
    "code",
    [
        "import torchvision\ndef nms(b):\n    return torchvision.ops.nms(b)",
        "import torchvision.ops\ndef nms(b):\n    return torchvision.ops.nms(b)",
        "import torchvision as tv\ndef nms(b):\n    return tv.ops.nms(b)",
        "from torchvision import ops\ndef nms(b):\n    return ops.nms(b)",
        "from torchvision.ops import nms as best\ndef nms(b):\n    return best(b)",
        "from torchvision.ops import nms",
        "from torchvision.ops import nms as best\nnms = best",
        "import torchvision\nnms = torchvision.ops.nms",
        "import torchvision\nnms = lambda b: torchvision.ops.nms(b)",
        "def nms(b):\n    from torchvision.ops import nms as best\n    return best(b)",
        "def nms(b):\n    import torchvision\n    return torchvision.ops.nms(b)",
        "def nms(b):\n    import torchvision as tv\n    return tv.ops.nms(b)",
        "import torchvision\ndef nms(b):\n    tv = torchvision\n    return tv.ops.nms(b)",
        "import torchvision\ntv = torchvision\ndef nms(b):\n    return tv.ops.nms(b)",
        "try:\n    import fast\nexcept ImportError:\n    from torchvision.ops import nms",
        "def cheat():\n    global nms\n    from torchvision.ops import nms\ncheat()",
        "class Box:\n    def best(self):\n        import torchvision\n"
        "        return torchvision.ops.nms(self)\n\ndef nms(b):\n    return Box.best(b)",
        "import torchvision\nif True:\n    def nms(b):\n        return torchvision.ops.nms(b)",
        "import torchvision\ndef nms(b, best=torchvision.ops.nms):\n    return best(b)",
        "import torchvision, functools\nnms = functools.partial(torchvision.ops.nms)",
    ],
)
def test_one_call_in_many_spellings(code):
    assert shortcuts(code) == {"nms": NMS}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import torch\ndef nms(b):\n    return torch.ops.torchvision.nms(b)",
         ["torch.ops.torchvision.nms"]),
        ("from torchvision.ops.boxes import nms", ["torchvision.ops.boxes.nms"]),
        ("from torchvision.ops import *", ["torchvision.ops.*"]),
        ("import math\nnms = math.fsum", ["math.fsum"]),
        ("from math import *\ndef nms(b):\n    return fsum(b)", ["math.fsum"]),
        ("import torchvision as tv\ndef nms(b):\n    return getattr(tv.ops, 'n' + 'ms')(b)",
         ["torchvision.ops"]),
        ("from torchvision import ops\ndef nms(b):\n    return ops.nms(ops.box_iou(b))",
         ["torchvision.ops.box_iou", "torchvision.ops.nms"]),
    ],
)  # fmt: skip
def test_the_names_that_are_reported(code, names):
    assert shortcuts(code) == {"nms": names}


@pytest.mark.parametrize(
    "code",
    [
        "def nms(b):\n    # torchvision.ops.nms would do\n    return b",
        "def nms(b):\n    'Like torchvision.ops.nms.'\n    return b",
        "import torchvision\nprint(torchvision.ops.nms)\ndef nms(b):\n    return b",
        "import torchvision.ops\ndef nms(b):\n    return b",
        "import torchvision\ndef nms(b):\n    return torchvision.transforms.resize(b)",
        "import torchvision_ops\ndef nms(b):\n    return torchvision_ops.nms(b)",
        "import math\ndef nms(b):\n    return math.sqrt(b)",
        "from math import *\ndef nms(b):\n    return sqrt(b)",
        "def nms(b):\n    return b",
        "def nms(b",
        "",
    ],
)
def test_what_costs_nothing(code):
    assert shortcuts(code) == {}


def test_comparing_with_the_library_costs_nothing():
    compare = "import torchvision\nkept = torchvision.ops.nms(boxes)\nops = torchvision.ops"
    mine = "def nms(b, ops):\n    kept = sorted(b)\n    return [ops for k in kept]"
    assert shortcuts(mine, compare) == {}


def test_an_import_inside_one_function_is_that_functions():
    one = "def nms(b):\n    from torchvision.ops import nms as best\n    return best(b)"
    other = "def iou(b):\n    best = max(b)\n    return best"
    assert shortcuts(one, other, exercises=("nms", "iou")) == {"nms": NMS}


def test_a_chain_of_helpers_over_several_cells():
    cells = [
        "import torchvision as tv",
        "def _deep(b):\n    return tv.ops.nms(b)",
        "_deeper = _deep\nclass Helper:\n    def __call__(self, b):\n        return _deeper(b)",
        "def nms(b):\n    return Helper()(b)",
        "def iou(b):\n    return 0",
    ]
    assert shortcuts(*cells, exercises=("nms", "iou")) == {"nms": NMS}


def test_who_calls_a_cheating_exercise_uses_what_it_uses():
    cells = ["from torchvision.ops import nms", "def batched(b):\n    return nms(b)"]
    assert shortcuts(*cells, exercises=("nms", "batched")) == {"nms": NMS, "batched": NMS}


def test_helpers_that_call_each_other_end():
    assert shortcuts("def a():\n    b()\n    nms()\ndef b():\n    a()\ndef nms():\n    a()") == {}


def test_a_star_import_counts_for_every_exercise():
    found = shortcuts("from torchvision.ops import *", exercises=("nms", "iou"))
    assert found == {"nms": ["torchvision.ops.*"], "iou": ["torchvision.ops.*"]}


@pytest.mark.parametrize("line", ["%matplotlib inline", "%%time", "!ls", "nms?", "x = !ls"])
def test_magics_hide_nothing(line):
    assert shortcuts(f"{line}\nfrom torchvision.ops import nms") == {"nms": NMS}


def test_a_sheet_that_forbids_nothing():
    assert find_shortcuts(["from torchvision.ops import nms"], ["nms"], []) == {}


@pytest.mark.parametrize(
    "code",
    [
        "nms = torchvision" + ".b" * 2500,
        "-" * 7000 + "1",
        "import a as b\n" + "b = b.b\n" * 3000,
        "import a as b0\n" + "".join(f"b{k + 1} = b{k}.x\n" for k in range(3000)),
        "def nms(nms):\n    global nms",
    ],
    ids=["attributes", "signs", "one alias", "many aliases", "no scope"],
)
def test_deep_code_ends(code):
    assert shortcuts(code, "from torchvision.ops import nms") == {"nms": NMS}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="abn=.:\n ()#'%!?*,\\")))
def test_any_text_at_all(cells):
    assert shortcuts(*cells) == {}
