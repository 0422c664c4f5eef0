"""What tests may ask of a function beyond calling it, in the student's own notebook."""

import struct

import pytest
import torch
from safetensors.torch import save

from detseg import exam
from detseg.exam import after, layer_types, read_weights


def test_after_gives_the_result_and_the_arguments_as_the_call_left_them():
    def swap(values, times):
        values.reverse()
        return len(values) * times

    assert after(swap, [1, 2, 3], times=2) == (6, [[3, 2, 1]])


def test_after_leaves_the_callers_arguments_as_they_were():
    tensor, numbers = torch.zeros(2), [[1], [2]]

    def spoil(tensor, numbers):
        tensor += 1
        numbers[0].append(5)

    result, (changed, other) = after(spoil, tensor, numbers)
    assert result is None
    assert changed.tolist() == [1, 1]
    assert other == [[1, 5], [2]]
    assert tensor.tolist() == [0, 0]
    assert numbers == [[1], [2]]


def test_after_shows_that_nothing_was_changed():
    result, (same,) = after(lambda boxes: boxes + 1, torch.zeros(2))
    assert result.tolist() == [1, 1]
    assert same.tolist() == [0, 0]


def test_after_without_arguments():
    assert after(lambda: 3) == (3, [])


def test_after_works_on_a_copy_of_a_module():
    module = torch.nn.Linear(2, 1)
    before = module.weight.detach().clone()

    def train(module):
        torch.nn.init.zeros_(module.weight)

    _, (trained,) = after(train, module)
    assert trained.weight.tolist() == [[0, 0]]
    assert torch.equal(module.weight, before)


def test_layer_types_lists_a_module_and_all_in_it_in_order():
    inner = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.ReLU())
    assert layer_types(torch.nn.Sequential(inner, torch.nn.Flatten())) == [
        "Sequential", "Sequential", "Conv2d", "ReLU", "Flatten",
    ]  # fmt: skip
    assert layer_types(torch.nn.ReLU()) == ["ReLU"]


class _Elsewhere:
    """Stands for a function in another process, as a proxy does."""

    def remote_after(self, args, kwargs):
        return ("result", args, kwargs), ["changed"]

    def remote_layers(self):
        return ("Net", "Linear")


def test_a_function_in_another_process_is_asked_there():
    assert after(_Elsewhere(), 1, key=2) == (("result", (1,), {"key": 2}), ["changed"])
    assert layer_types(_Elsewhere()) == ["Net", "Linear"]


# Weights that were handed in.

WEIGHTS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(7)}


def test_weights_are_read_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(save(WEIGHTS))
    found, problem = read_weights("a.safetensors", 10_000)
    assert problem == ""
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)


def test_the_limit_is_the_largest_size_that_passes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = save(WEIGHTS)
    (tmp_path / "a.safetensors").write_bytes(content)
    assert read_weights("a.safetensors", len(content))[1] == ""
    found, problem = read_weights("a.safetensors", len(content) - 1)
    assert (found, problem) == (
        {},
        f"a.safetensors is too large: more than {len(content) - 1} bytes",
    )


def test_weights_that_are_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.safetensors").mkdir()
    for name in ("a.safetensors", "folder.safetensors"):
        found, problem = read_weights(name, 100)
        assert (found, problem) == ({}, f"{name} is not there: hand it in beside the notebook")


def with_header(header: bytes, content: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"PK\x03\x04" + bytes(1000),  # what torch.save writes
        b"\x80\x02}q\x00.",  # a pickle
        save(WEIGHTS)[:-1],
        save(WEIGHTS) + b"x",
        struct.pack("<Q", 2**63) + b"{}",
        with_header(b"[1]"),
        with_header(b'{"w": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}}', b"1234"),
        with_header(b'{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', b"1234"),
        with_header(b'{"w": {"dtype": "F32", "shape": [0, 9223372036854775808], '
                    b'"data_offsets": [0, 0]}}'),
    ],
)  # fmt: skip
def test_what_is_no_safetensors_file(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(content)
    found, problem = read_weights("a.safetensors", 10_000)
    assert found == {}
    assert problem.startswith("a.safetensors is no safetensors file, or is damaged: write it with")


def test_where_files_were_handed_in_only_those_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(save(WEIGHTS))
    monkeypatch.setattr(exam, "handed_in", {"b.safetensors": save(WEIGHTS)})
    assert "is not there" in read_weights("a.safetensors", 10_000)[1]
    assert read_weights("b.safetensors", 10_000)[1] == ""
    assert "too large" in read_weights("b.safetensors", 10)[1]
