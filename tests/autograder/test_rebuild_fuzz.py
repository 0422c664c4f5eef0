"""Any bytes and any JSON make a notebook and flags, never an exception."""

import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import notebook_of

from autograder.rebuild import rebuild

slow_is_fine = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

names = st.sampled_from(["total", "mean", "test_total", "written_why", "setup", "other", ""])
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), names,
    st.sampled_from(["\ud800", "\udfff\x00", "a" * 1000]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)


def mappings(**keys: st.SearchStrategy) -> st.SearchStrategy:
    """Dictionaries in which every key may be missing or be anything."""
    return st.fixed_dictionaries(
        {}, optional={key: st.one_of(strategy, values) for key, strategy in keys.items()}
    )


nbgrader = mappings(grade_id=names, solution=st.booleans(), grade=st.booleans(), points=values)
metadata = mappings(nbgrader=nbgrader, tags=st.lists(scalars))
cells = mappings(
    cell_type=st.sampled_from(["code", "markdown", "raw"]),
    source=st.one_of(st.text(), st.lists(st.text())),
    metadata=metadata,
    id=names,
    outputs=values,
)
notebooks = mappings(cells=st.lists(st.one_of(cells, values)), metadata=values, nbformat=values)


def has_a_verdict(sheet, data: bytes) -> None:
    rebuilt = rebuild(sheet, data)
    nbformat.validate(rebuilt.notebook)
    json.dumps(rebuilt.notebook, ensure_ascii=False).encode()
    for flag in rebuilt.flags:
        assert flag.kind
        flag.detail.encode()
    assert rebuilt.readable or [flag.kind for flag in rebuilt.flags] == ["unreadable"]


@pytest.fixture(scope="module")
def complete(sheet):
    return json.dumps(notebook_of(sheet)).encode()


@slow_is_fine
@given(st.binary())
def test_any_bytes(sheet, data):
    has_a_verdict(sheet, data)


@slow_is_fine
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_any_damage_to_a_complete_submission(sheet, complete, position, byte):
    position %= len(complete)
    has_a_verdict(sheet, complete[:position] + bytes([byte]) + complete[position + 1 :])
    has_a_verdict(sheet, complete[:position])


@slow_is_fine
@given(values)
def test_any_json(sheet, value):
    has_a_verdict(sheet, json.dumps(value).encode())


@slow_is_fine
@given(notebooks)
def test_anything_like_a_notebook(sheet, value):
    has_a_verdict(sheet, json.dumps(value).encode())
