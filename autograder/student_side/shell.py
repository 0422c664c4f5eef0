"""A notebook's cells, run by IPython's rules in this process, and what came of each.

This module is what a kernel is forked from, so it imports at once what every sheet needs (torch
takes seconds) and starts nothing: no thread, no socket.
"""

import base64
import contextlib
import io
import os
import random
import signal
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision  # noqa: F401
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from IPython.utils.text import LSString, SList
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from traitlets.config import Config

import detseg
import detseg.draw  # noqa: F401

matplotlib.use("agg")

# One message for the student, not a report: an exception may quote a whole tensor.
MAX_MESSAGE_CHARACTERS = 500

# A picture is larger than a text. An honest sheet draws half a megabyte.
PICTURES_TO_TEXT = 5


class CellTimeoutError(BaseException):
    """Raised in a cell that runs too long; no Exception, so that `except Exception` lets it by."""


class Allowance:
    """What a submission may still show: characters of text, and of pictures."""

    def __init__(self, output_bytes: int) -> None:
        self._text = output_bytes
        self._pictures = PICTURES_TO_TEXT * output_bytes

    def take(self, text: str) -> str:
        """As much of the text as may still be shown."""
        taken = text[: self._text]
        self._text -= len(taken)
        return taken

    def takes_picture(self, picture: object) -> bool:
        """Whether a picture may still be shown."""
        if not isinstance(picture, str) or len(picture) > self._pictures:
            return False
        self._pictures -= len(picture)
        return True


class _BoundedText(io.StringIO):
    """Keeps what is allowed of what is written and drops the rest."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__()
        self._allowance = allowance

    def write(self, text: str) -> int:
        super().write(self._allowance.take(text))
        return len(text)


class _DisplayHook(DisplayHook):
    """Shows a cell's last value without a number, and as a picture where it is one."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        if "image/png" in format_dict and self.shell:
            self.shell.display_pub.publish(format_dict)
        else:
            super().write_format_data(format_dict, md_dict)


class _Shell(InteractiveShell):
    """IPython without a window system: `%matplotlib inline` asks for none.

    An error is reported with its cell. It is not formatted as well: that takes IPython seconds
    where a function has called itself a thousand times.
    """

    displayhook_class = _DisplayHook

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def showtraceback(self, *_: object, **__: object) -> None:
        pass

    def showsyntaxerror(self, *_: object, **__: object) -> None:
        pass

    def system(self, cmd: str) -> None:
        """`!pip install …` in an honest notebook does not stop the cell."""
        print(f"not run here: {cmd}", file=sys.stderr)

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:  # noqa: ARG002
        self.system(cmd)
        return SList() if split else LSString("")


class Notebook:
    """A namespace in which cells are run by IPython's rules. Made before the fork: it is slow."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        self._shell = _Shell.instance(config=config)
        # A __main__ of its own: it is what pickle and dataclasses ask for.
        sys.modules["__main__"] = types.ModuleType("__main__")
        self.namespace: dict[str, Any] = self._shell.user_ns
        self.namespace["__name__"] = "__main__"
        self._shell.run_line_magic("matplotlib", "inline")
        formatter = self._shell.display_formatter
        assert formatter is not None
        formatter.formatters["image/png"].for_type(Figure, _picture)
        use_torch()
        self._warm_up()

    def _warm_up(self) -> None:
        """Do once what IPython and matplotlib do for the first cell and the first figure."""
        self.namespace["first"] = _first_figure
        report = self.run("first()", 60, Allowance(0))
        assert report["error"] is None, report
        del self.namespace["first"]

    def run(self, source: str, seconds: float, allowance: Allowance) -> dict[str, Any]:
        """Run one cell; what it shows is kept for the feedback, within the allowance.

        Returns: `outputs`: list of `{"text": str}` or `{"png": base64 str}`; `error`: None or
            `{"name": str, "message": str}`.
        """
        stdout, stderr = _BoundedText(allowance), _BoundedText(allowance)
        failure: BaseException | None = None
        with capture_output() as captured:
            sys.stdout, sys.stderr = stdout, stderr
            try:
                with _alarm(seconds):
                    result = self._shell.run_cell(source)
                failure = result.error_before_exec or result.error_in_exec
            except BaseException as error:
                failure = error
        texts = [stdout.getvalue(), stderr.getvalue()]
        outputs: list[dict[str, object]] = [{"text": text} for text in texts if text]
        for shown in captured.outputs:
            picture = shown.data.get("image/png")
            if isinstance(picture, bytes):
                picture = base64.b64encode(picture).decode()
            if allowance.takes_picture(picture):
                outputs.append({"png": picture})
        if failure is None:
            return {"outputs": outputs, "error": None}
        told = {"name": type(failure).__name__, "message": text_of(failure)}
        return {"outputs": outputs, "error": told}


def _picture(figure: Figure) -> bytes:
    """A figure as a PNG file.

    `%matplotlib inline` would draw it twice, the first time to find out what to cut off at the
    edges. Figures take most of the time of an honest sheet.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    picture.save(file, "png", compress_level=1)
    return file.getvalue()


def _first_figure() -> None:
    _, axes = plt.subplots(figsize=(2, 2), layout="constrained")
    axes.imshow(np.zeros((2, 2, 3), np.float32))
    axes.plot([0, 1], label="label")
    axes.add_patch(plt.Rectangle((0, 0), 1, 1))
    axes.set_title("title")
    axes.legend()
    plt.show()


def use_torch() -> None:
    """Do once what torch does when it is first used, so that no forked process has to.

    No gradient: its threads would not survive a fork.
    """
    seed(0)
    numbers = torch.rand(1, 1, 8, 8)
    torch.nn.functional.conv2d(numbers, numbers).sum().item()
    torch.allclose(numbers, numbers.clone())


def put_in_order(folder: Path) -> None:
    """Undo what a notebook may have changed for everything that runs after it."""
    os.chdir(folder)
    warnings.simplefilter("ignore")
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)


def seed(number: int) -> None:
    """Set the seeds of Python, NumPy and torch."""
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.manual_seed(number)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def expire(*_: object) -> None:
        raise CellTimeoutError(f"longer than {seconds:g} seconds")

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def text_of(failure: BaseException) -> str:
    """What an exception says, cut."""
    try:
        return str(failure)[:MAX_MESSAGE_CHARACTERS]
    except BaseException:
        return ""
