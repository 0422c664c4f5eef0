"""What tests may ask of a function beyond calling it, in the student's own notebook."""

import torch

from detseg.exam import after, layer_types


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
