"""What the tests of a sheet may ask of a student's function beyond calling it.

Tests run twice in a sheet's life: in the student's own notebook, and when the sheet is graded, in
a process to which only data comes back. These functions mean the same in both places.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch


def after(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
    """Call a function on copies of the arguments; see what it made of them.

    The way to test what a function changes in place, or that it changes nothing. The arguments
    that are passed in stay as they are.

    Returns: the function's result, and the positional arguments after the call.

    >>> after(lambda x: x.add_(1), torch.zeros(2))
    (tensor([1., 1.]), [tensor([1., 1.])])
    """
    remote = getattr(type(function), "remote_after", None)
    if remote is not None:
        result, changed = remote(function, args, kwargs)
        return result, changed
    copies = [copy.deepcopy(argument) for argument in args]
    return function(*copies, **kwargs), copies


def layer_types(module: torch.nn.Module) -> list[str]:
    """Class names of a module and of all modules in it, as `module.modules()` goes through them.

    >>> layer_types(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 1)))
    ['Sequential', 'Flatten', 'Linear']
    """
    remote = getattr(type(module), "remote_layers", None)
    if remote is not None:
        return list(remote(module))
    return [type(layer).__name__ for layer in module.modules()]
