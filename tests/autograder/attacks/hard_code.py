"""Code that is hard on whoever parses it, which the student's process does not do alone.

By name; each stands in an extra cell of a notebook.
"""

_nested_blocks = "\n".join(" " * depth + "if 1:" for depth in range(150))
_nested_functions = "\n".join(" " * depth + "def f():" for depth in range(95))
_aliases = "\n".join(f"a{number + 1} = a{number}.a{number}" for number in range(3_000))

SOURCES = {
    # A parser keeps a stack, and a tree is as deep as the code is nested.
    "parentheses": "x = " + "(" * 5_000 + "1" + ")" * 5_000,
    "brackets": "x = " + "[" * 150 + "]" * 150,
    "signs": "x = " + "-" * 50_000 + "1",
    "a long sum": "x = " + "1 + " * 30_000 + "1",
    "a long chain": "x = torch" + ".a" * 30_000,
    "calls of calls": "x = f" + "()" * 30_000,
    "items of items": "x = f" + "[0]" * 30_000,
    "many branches": "if 0:\n    pass\n" + "elif 0:\n    pass\n" * 5_000,
    "blocks in blocks": _nested_blocks + "\n" + " " * 150 + "x = 1",
    "functions in functions": _nested_functions + "\n" + " " * 95 + "pass",
    "lambdas": "x = " + "lambda: " * 3_000 + "1",
    "strings in strings": "x = " + "f'{" * 100 + "1" + "}'" * 100,
    "choices": "x = " + "1 if 1 else " * 10_000 + "1",
    # Whoever follows a name to what it stands for.
    "names for names": f"import torch as a0\n{_aliases}",
    "names that double": "import torch as a\n" + "a = a.a.a\n" * 5_000,
    "names in a ring": "a = b\nb = c\nc = a\nimport a as b, b as a",
    "assignments": "a = " * 10_000 + "1",
    "everything of everything": "from torch import *\n" * 2_000,
    # To read a number takes the square of its length; constants are computed before they are used.
    "a number of very many digits": "x = " + "9" * 250_000,
    "a constant that grows": "def f():\n    return (((2**1000) ** 1000) ** 1000) ** 1000",
    "a text that grows": "def f():\n    return ((('x' * 1000) * 1000) * 1000) * 1000",
    # Code that does not end where its cell ends.
    "a backslash": "x = 1 + \\",
    "a quote": 'x = """',
    "a branch": "if True:\n    pass\nelse:",
    "a bracket": "x = (",
    # Text that is read in another way than it looks.
    "an encoding": "# -*- coding: utf-7 -*-\nx = '+AAo-print(1)'",
    "a mark for tests": "### END HIDDEN TESTS\n### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS",
    "carriage returns": "x = 1\rraise SystemExit(0)\r\n# \rx = 2",
    "a form feed": "\x0cx = 1\x0c\n\x0bx = 2",
}
