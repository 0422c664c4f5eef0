"""What the tests of a sheet may ask of a student's function beyond calling it.

Tests run twice in a sheet's life: in the student's own notebook, and when the sheet is graded, in
a process to which only data comes back. These functions mean the same in both places.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load

handed_in: dict[str, bytes] | None = None
"""Contents of the files that were handed in; None in the student's own notebook, where they lie
in the working folder."""


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


def read_weights(name: str, max_bytes: int) -> tuple[dict[str, torch.Tensor], str]:
    """The weights in a safetensors file that was handed in beside the notebook.

    Args:
        name: the file's name.
        max_bytes: a larger file is refused.

    Returns: tensors by name, and what is wrong with the file in words: "" where nothing is.

    >>> read_weights("no-such-file.safetensors", 100)
    ({}, 'no-such-file.safetensors is not there: hand it in beside the notebook')
    """
    content = _content(name, max_bytes + 1)
    if content is None:
        return {}, f"{name} is not there: hand it in beside the notebook"
    if len(content) > max_bytes:
        return {}, f"{name} is too large: more than {max_bytes:,} bytes"
    try:
        return load(content), ""
    except Exception:  # a stranger wrote the file: whatever it is that cannot be read
        reason = f"{name} is no safetensors file, or is damaged"
        return {}, f"{reason}: write it with safetensors.torch.save_file"


def _content(name: str, most: int) -> bytes | None:
    """The first bytes of a file; None where there is none."""
    if handed_in is not None:
        return handed_in.get(name)
    path = Path(name)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(most)
