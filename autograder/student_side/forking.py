"""Make a process cheap to fork, once it has imported what its children need."""

import contextlib
import ctypes
import gc
import re
from pathlib import Path

_HUGE_PAGE = 2 * 1024**2
_MADV_COLLAPSE = 25

# Memory of this process alone: addresses, "rw-p", offset, device, no file.
_OWN_MEMORY = re.compile(r"^(\w+)-(\w+) rw-p \w+ \S+ 0\s*(?:\[heap\])?$", re.MULTILINE)


def settle() -> None:
    """Call it last: what is there now is not expected to change.

    What was imported is never looked through for garbage, which would make every child copy it.
    Its memory is put into large pages where the system can do that (Linux 6.1), so that a fork has
    a few hundred entries to copy and not a hundred thousand.
    """
    gc.collect()
    gc.freeze()
    # Figures make many small objects; looking for garbage among them takes a tenth of their time.
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
    with contextlib.suppress(OSError, AttributeError):  # another system
        _use_huge_pages()


def _use_huge_pages() -> None:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for found in _OWN_MEMORY.finditer(Path("/proc/self/maps").read_text(encoding="ascii")):
        start, end = (int(address, base=16) for address in found.groups())
        start, end = -(-start // _HUGE_PAGE) * _HUGE_PAGE, end // _HUGE_PAGE * _HUGE_PAGE
        if start < end:
            madvise(start, end - start, _MADV_COLLAPSE)  # refused where there is no room
