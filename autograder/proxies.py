"""What stands in the examiner for the student's objects, which stay in the student's kernel."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from autograder.remote import Student


class RemoteObject:
    """A function, class, generator or other object of the student's.

    It can be called and iterated over; its attributes can be read. Comparing it compares
    identities.
    """

    def __init__(self, student: "Student", number: int) -> None:
        self._student = student
        self.remote_number = number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student.call(self.remote_number, args, kwargs)

    def remote_after(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a call, and the arguments as the call left them: see `detseg.exam`."""
        return self._student.call(self.remote_number, args, kwargs, after=True)

    def __getattr__(self, name: str) -> Any:
        return self._student.attribute(self.remote_number, name)

    def __iter__(self) -> Iterator[Any]:
        items = self._student.iterate(self.remote_number)
        for _ in range(self._student.limits.value_items):
            try:
                yield next(items)
            except StopIteration:
                return
        raise OverflowError("more items than a test reads")

    def __next__(self) -> Any:
        return self._student.next(self.remote_number)

    def __repr__(self) -> str:
        return "an object of the student's"

    def __bool__(self) -> bool:
        raise TypeError("the student's code gave an object where a value is expected")

    def __copy__(self) -> Any:
        raise TypeError("a student's object is copied with copy.deepcopy")

    def __deepcopy__(self, _: dict[int, Any]) -> Any:
        return self._student.copy(self.remote_number)

    def __del__(self) -> None:
        self._student.release("handles", self.remote_number)


class RemoteModule(torch.nn.Module):
    """An `nn.Module` of the student's, with copies of its parameters.

    Gradients arrive at the copies; what an optimiser changes in them is sent before the next call.
    """

    def __init__(self, student: "Student", number: int) -> None:
        super().__init__()
        self._student = student
        self.remote_number = number
        self._copies: dict[str, torch.nn.Parameter] | None = None
        self._sent: dict[str, tuple[int, int]] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._student.call(self.remote_number, args, kwargs)

    def remote_after(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a call, and the arguments as the call left them: see `detseg.exam`."""
        return self._student.call(self.remote_number, args, kwargs, after=True)

    def remote_layers(self) -> Any:
        """Class names of the modules in it: see `detseg.exam`."""
        return self._student.layers(self.remote_number)

    def mirrors(self) -> dict[str, torch.nn.Parameter]:
        """The copies of the parameters, by name."""
        if self._copies is None:
            self._copies = {}
            for name, (value, gradient) in self._student.parameters(self.remote_number).items():
                # An int parameter of a quantised layer cannot require a gradient.
                self._copies[name] = torch.nn.Parameter(value, requires_grad=gradient)
            self._sent = self._versions()
        return self._copies

    def has_copies(self) -> bool:
        return self._copies is not None

    def push(self) -> None:
        """Send the copies that were changed here."""
        now = self._versions()
        changed = {name for name in now if now[name] != self._sent[name]}
        if changed:
            self._sent = now
            values = {n: c.detach() for n, c in (self._copies or {}).items() if n in changed}
            self._student.set_parameters(self.remote_number, values)

    def fetch(self) -> None:
        """Take over what the student's code changed."""
        copies = self._copies or {}
        values = self._student.parameters(self.remote_number)
        if {n: v.shape for n, (v, _) in values.items()} != {n: c.shape for n, c in copies.items()}:
            self._copies = None  # other parameters than before: other copies
            return
        with torch.no_grad():
            for name, (value, _) in values.items():
                copies[name].copy_(value)
        self._sent = self._versions()

    def _versions(self) -> dict[str, tuple[int, int]]:
        return {name: (c._version, c.data_ptr()) for name, c in (self._copies or {}).items()}

    def named_parameters(self, *_: Any, **__: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
        yield from self.mirrors().items()

    def train(self, mode: bool = True) -> "RemoteModule":
        self._student.set_mode(self.remote_number, train=mode)
        return self

    @property
    def training(self) -> bool:
        return bool(self._student.attribute(self.remote_number, "training"))

    @training.setter
    def training(self, mode: bool) -> None:
        """What `nn.Module` sets at its start says nothing about the student's module."""

    def named_children(self) -> Any:
        raise NotImplementedError("a student's module is asked for its layers by their names")

    def named_modules(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("see detseg.exam.layer_types for the layers of a module")

    def named_buffers(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("a student's module is asked for its buffers by their names")

    def state_dict(self, *_: Any, **__: Any) -> Any:
        self.push()
        return self._student.state(self.remote_number)

    def load_state_dict(self, state_dict: Mapping[str, Any], *_: Any, **__: Any) -> Any:
        self._student.load_state(self.remote_number, state_dict)

    def _apply(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("tests do not move or convert a student's module")

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_student"].attribute(self.__dict__["remote_number"], name)

    def __repr__(self) -> str:
        return "a module of the student's"

    def __copy__(self) -> Any:
        raise TypeError("a student's object is copied with copy.deepcopy")

    def __deepcopy__(self, _: dict[int, Any]) -> Any:
        self.push()
        return self._student.copy(self.remote_number)

    def __del__(self) -> None:
        self._student.release("handles", self.remote_number)
