"""The examples in the builder's docstrings hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import coursebook


def test_examples() -> None:
    names = [module.name for module in pkgutil.iter_modules(coursebook.__path__)]
    results = [
        doctest.testmod(importlib.import_module(f"coursebook.{name}"), raise_on_error=False)
        for name in names
    ]

    assert sum(result.attempted for result in results) > 2
    assert sum(result.failed for result in results) == 0
