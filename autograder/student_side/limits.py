"""What one submission may use."""

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Defaults for every sheet; a sheet overrides them for all or some of its exercises.

    Seconds are of the clock on the wall, but for `cpu_seconds`, which are a process's own.
    A value is what crosses from the student's kernel to the examiner's in one message.
    """

    cell_seconds: float = 60.0
    show_seconds: float = 30.0  # of a cell of the sheet that only shows the student's result
    submission_seconds: float = 180.0
    cpu_seconds: float = 180.0
    memory_bytes: int = 4 * 1024**3
    processes: int = 64
    open_files: int = 256
    scratch_bytes: int = 256 * MEGABYTE
    scratch_files: int = 10_000
    output_bytes: int = MEGABYTE
    value_bytes: int = 256 * MEGABYTE
    value_items: int = 100_000
    value_depth: int = 50
    text_bytes: int = 64 * 1024
