"""A student's modules and gradients, as if they were here: compared with the same ones here."""

import copy

import pytest
import torch
from kernel_pair import student

from detseg.exam import after

_NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.first = torch.nn.Linear(2, width)
        self.norm = torch.nn.BatchNorm1d(width)
        self.scale = torch.nn.Parameter(torch.tensor(0.5))
        self.width = width
    def forward(self, x, times=1):
        return self.norm(self.first(x)).relu() * self.scale * times
    def loss(self, x):
        return self(x).square().mean()

torch.manual_seed(0)
net = Net()
def make(width): return Net(width)
def train(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
def weight_of(model): return model.first.weight
def loss_of(model, x): return model(x).square().mean()
"""


def _here() -> torch.nn.Module:
    namespace: dict = {"__name__": "here"}
    exec(_NET, namespace)
    return namespace["net"]


X = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])


@pytest.fixture
def s():
    with student(_NET) as found:
        yield found


def _values(model) -> dict[str, list]:
    return {name: parameter.tolist() for name, parameter in model.named_parameters()}


def test_a_module_can_be_called(s):
    net, here = s.get("net"), _here()
    assert isinstance(net, torch.nn.Module)
    assert torch.equal(net(X), here(X))
    assert torch.equal(net(X, times=2), here(X, times=2))


def test_its_parameters_are_those_of_the_student(s):
    net, here = s.get("net"), _here()
    assert _values(net) == _values(here)
    assert [p.shape for p in net.parameters()] == [p.shape for p in here.parameters()]
    assert all(isinstance(p, torch.nn.Parameter) and p.requires_grad for p in net.parameters())
    assert sum(p.numel() for p in s.get("make")(7).parameters()) == 36


def test_attributes_and_methods_are_read(s):
    net, here = s.get("net"), _here()
    assert net.width == 3
    assert torch.equal(net.first.weight, here.first.weight)
    assert torch.equal(net.loss(X), here.loss(X))
    assert net.first.in_features == 2


def test_train_and_eval_change_what_it_does(s):
    net, here = s.get("net"), _here()
    for model in (net, here):
        model(X)
        assert model.eval() is model
        assert not model.training
    assert torch.equal(net(X), here(X))
    assert net.train() is net
    assert net.training
    assert torch.equal(net(X), here.train()(X))


def test_the_mode_that_the_student_sets_is_seen():
    with student(_NET + "\nnet.eval()\ndef wake(m): m.train()") as other:
        net = other.get("net")
        assert not net.training
        other.get("wake")(net)
        assert net.training


def test_a_state_is_saved_and_loaded(s):
    net, other = s.get("net"), s.get("make")(3)
    state = net.state_dict()
    assert list(state) == list(_here().state_dict())
    other.load_state_dict(state)
    assert _values(other) == _values(net)
    with pytest.raises(RuntimeError):
        other.load_state_dict({})


@pytest.mark.parametrize("parts", ["modules", "children", "buffers", "named_modules"])
def test_what_is_inside_a_module_is_not_silently_left_out(s, parts):
    with pytest.raises(NotImplementedError, match="module"):
        list(getattr(s.get("net"), parts)())


# Gradients.


def _gradients(function, *tensors):
    inputs = [tensor.clone().requires_grad_() for tensor in tensors]
    result = function(*inputs)
    total = (
        sum(r.square().sum() for r in result)
        if isinstance(result, tuple)
        else result.square().sum()
    )
    total.backward()
    return [tensor.grad for tensor in inputs]


@pytest.mark.parametrize(
    "source",
    ["def f(x, y): return x * y.exp()", "def f(x, y): return (x + y, x * y, x.sum())",
     "def f(x, y): return x.detach() * y", "def f(x, y): return x[0] * 2",
     "def f(x, y): return (x.T @ y).relu()"],
)  # fmt: skip
def test_gradients_with_respect_to_inputs_are_those_of_the_same_function_here(source):
    namespace: dict = {}
    exec(source, namespace)
    x, y = torch.rand(3, 3), torch.rand(3, 3)
    with student(source) as s:
        found, expected = _gradients(s.get("f"), x, y), _gradients(namespace["f"], x, y)
    for one, other in zip(found, expected, strict=True):
        if other is None:
            assert one is None or not one.any()
        else:
            torch.testing.assert_close(one, other)


def test_gradients_go_through_code_of_the_tests_and_of_the_student():
    with student("def f(x): return x.sin()\ndef g(x): return {'out': [x.cos()]}") as s:
        x = torch.linspace(0, 1, 5, requires_grad=True)
        s.get("g")(s.get("f")(x * 2) + x)["out"][0].sum().backward()
        y = x.detach().clone().requires_grad_()
        ((y * 2).sin() + y).cos().sum().backward()
        torch.testing.assert_close(x.grad, y.grad)


def test_gradients_of_views_and_of_an_input_used_twice():
    with student("def f(x, y): return x * 3 + y") as s:
        x = torch.arange(6.0).reshape(2, 3).requires_grad_()
        s.get("f")(x.T, x.T * 2).sum().backward()
        assert x.grad.tolist() == [[5] * 3] * 2
        y = torch.ones(2, requires_grad=True)
        s.get("f")(y, y).sum().backward()
        assert y.grad.tolist() == [4, 4]


def test_autograd_grad_and_a_second_backward():
    with student("def f(x): return x ** 2") as s:
        x = torch.tensor([3.0], requires_grad=True)
        y = s.get("f")(x)
        (gradient,) = torch.autograd.grad(y, x, retain_graph=True)
        y.backward()
        assert x.grad.tolist() == gradient.tolist() == [6]


def test_gradients_of_a_modules_parameters_are_those_of_the_same_module_here(s):
    net, here = s.get("net"), _here()
    for model in (net, here):
        model(X).square().sum().backward()
    expected = {name: p.grad for name, p in here.named_parameters()}
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("through", ["method", "function"])
def test_gradients_of_parameters_reach_through_methods_and_other_functions(s, through):
    net, here = s.get("net"), _here()
    assert _values(net)  # the tests have its parameters
    loss = net.loss(X) if through == "method" else s.get("loss_of")(net, X)
    loss.backward()
    here.loss(X).backward()
    torch.testing.assert_close(dict(net.named_parameters())["scale"].grad, here.scale.grad)


def test_without_gradients_there_are_none(s):
    x = X.clone().requires_grad_()
    with torch.no_grad():
        assert not s.get("net")(x).requires_grad
    assert s.get("net")(x).requires_grad


def test_an_error_in_the_students_backward_is_an_error():
    source = """
    import torch
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x): return x.clone()
        @staticmethod
        def backward(ctx, g): raise KeyError("no gradient")
    def f(x): return Broken.apply(x)
    """
    with student(source) as s:
        x = torch.ones(1, requires_grad=True)
        with pytest.raises(KeyError):
            s.get("f")(x).sum().backward()


# Training.

_OPTIMISERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.05),
}


@pytest.mark.parametrize("optimiser", _OPTIMISERS.values(), ids=_OPTIMISERS)
def test_a_training_loop_of_the_tests_has_the_same_losses_as_here(s, optimiser):
    losses = []
    for model in (s.get("net"), _here()):
        torch.manual_seed(0)
        steps = optimiser(model.parameters())
        curve = []
        for _ in range(5):
            steps.zero_grad()
            loss = (model(X) - 1).square().mean()
            loss.backward()
            steps.step()
            curve.append(loss.item())
        losses.append(curve)
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[0][-1] < losses[0][0]


def test_a_students_training_is_seen_in_the_parameters(s):
    net = s.get("net")
    parameters = dict(net.named_parameters())
    before = {name: p.detach().clone() for name, p in parameters.items()}
    s.get("train")(net)
    for name, parameter in parameters.items():
        assert torch.equal(parameter, before[name] + 1)
    assert _values(net) == {name: (value + 1).tolist() for name, value in before.items()}


def test_what_the_tests_change_in_a_parameter_is_what_the_student_sees(s):
    net = s.get("net")
    with torch.no_grad():
        dict(net.named_parameters())["first.weight"].fill_(2)
    assert s.get("weight_of")(net).tolist() == [[2, 2]] * 3


def test_after_shows_what_became_of_a_module_of_the_tests():
    source = "import torch\ndef zero(m):\n    torch.nn.init.zeros_(m.weight)"
    module = torch.nn.Linear(2, 1)
    before = module.weight.detach().clone()
    with student(source) as s:
        _, (changed,) = after(s.get("zero"), module)
        assert changed.weight.tolist() == [[0, 0]]
    assert torch.equal(module.weight, before)


def test_a_copy_of_a_module_is_another(s):
    net = s.get("net")
    other = copy.deepcopy(net)
    s.get("train")(other)
    assert _values(net) == _values(_here())
    assert _values(other) != _values(net)


def test_frozen_parameters_are_frozen_here_too():
    source = "import torch\nnet = torch.nn.Linear(2, 1)\nnet.bias.requires_grad_(False)"
    with student(source) as s:
        named = dict(s.get("net").named_parameters())
        assert {name: p.requires_grad for name, p in named.items()} == {
            "weight": True,
            "bias": False,
        }


def test_a_module_is_not_moved_or_converted(s):
    with pytest.raises(NotImplementedError, match="do not move or convert"):
        s.get("net").double()


def test_a_module_whose_parameters_come_later_can_be_called():
    with student("import torch\nnet = torch.nn.LazyLinear(3)") as s:
        assert s.get("net")(torch.ones(4, 2)).shape == (4, 3)
