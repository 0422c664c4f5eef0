"""Random integers that are the same on every machine.

`numpy.random.Generator` may change its streams between releases of numpy; the raw 64-bit output of
the PCG64 bit generator and of `SeedSequence` may not (NEP 19). So only raw output is read here, and
integers alone are made from it.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 64  # raw numbers fetched at once: one call a number would cost more than the drawing


class Dice:
    """A stream of random integers that depends on nothing but two numbers.

    Args:
        seed: 0 … 2³² − 1.
        index: 0 … 2³² − 1; streams of different indices are independent.

    Example:
        >>> dice = Dice(seed=0, index=0)
        >>> [dice.between(1, 6) for _ in range(5)]
        [4, 5, 1, 2, 1]
    """

    def __init__(self, seed: int, index: int) -> None:
        self._source = np.random.PCG64(np.random.SeedSequence([seed, index]))
        self._block: list[int] = []

    def between(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        if not self._block:
            self._block = self._source.random_raw(_BLOCK).tolist()
        # The remainder favours small values by less than 2⁻⁴⁰ for the ranges used here.
        return low + self._block.pop() % (high - low + 1)

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`, each as likely as the others."""
        return options[self.between(0, len(options) - 1)]

    def octets(self, *shape: int) -> np.ndarray:
        """Random bytes, 0 … 255, as an array of this shape, uint8."""
        count = int(np.prod(shape))
        raw = np.atleast_1d(self._source.random_raw((count + 7) // 8))
        # Little-endian, so that a big-endian machine reads the same bytes.
        return raw.astype("<u8").view(np.uint8)[:count].reshape(shape)
