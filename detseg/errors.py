"""The errors that this package raises on purpose."""


class DetsegError(Exception):
    """Base class: catch it to catch every error that `detseg` raises on purpose."""


class ArgumentError(DetsegError, ValueError):
    """An argument has a value, type or shape that the function does not accept."""


class DataError(DetsegError):
    """A file is missing, incomplete, or not what it should be."""
