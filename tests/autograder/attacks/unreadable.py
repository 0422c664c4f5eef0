"""Files that are no notebook of the sheet, and hard on whoever tries to read them.

Each is made of an honest notebook's JSON.
"""

import gzip
import json
from collections.abc import Callable


def _with_code(notebook: dict, source: str) -> bytes:
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    return json.dumps(notebook | {"cells": [*notebook["cells"], cell]}).encode()


def _of_format_3(notebook: dict) -> bytes:
    old = {"worksheets": [{"cells": notebook["cells"]}], "nbformat": 3, "nbformat_minor": 0}
    return json.dumps(old).encode()


FILES: dict[str, Callable[[dict], bytes]] = {
    "nothing": lambda _: b"",
    "half": lambda notebook: json.dumps(notebook).encode()[:-100],
    "compressed": lambda notebook: gzip.compress(json.dumps(notebook).encode() + bytes(10**8)),
    "in another encoding": lambda notebook: json.dumps(notebook).encode("utf-16"),
    "too long": lambda notebook: json.dumps(notebook).encode() + b" " * 60_000_000,
    "too much code": lambda notebook: _with_code(notebook, "x = 1\n" * 8_000_000),
    "too deep": lambda _: b'{"cells": ' + b"[" * 5_000_000,
    "a number of ten million digits": lambda _: b'{"cells": ' + b"9" * 10_000_000 + b"}",
    "no text": lambda _: b"\x00\xff\xfe" * 1_000_000,
    "a pickle": lambda _: b"cos\nsystem\n(S'touch /tmp/stowaway'\ntR.",
    "a program": lambda _: b"#!/bin/sh\ntouch /tmp/stowaway\n",
    "an old notebook": _of_format_3,
}
