"""What every test and doctest can rely on: no window, no figure left open by another, Ctrl-C."""

import signal
from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import pytest

matplotlib.use("agg")

# Shells start what is to run in the background with SIGINT ignored, and what the tests start would
# inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _figures_are_closed() -> Iterator[None]:
    yield
    plt.close("all")
