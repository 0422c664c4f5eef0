"""Errors that a user of the autograder can act on."""


class AutograderError(Exception):
    """Something a user did or gave cannot work; the message says what, where and what would.

    `exit_code` is what the command line exits with: 1, something failed; 2, wrong usage.
    """

    exit_code = 1


class UsageError(AutograderError):
    """The command was given something that cannot be: an unknown sheet, a missing folder."""

    exit_code = 2


class SheetError(AutograderError):
    """A sheet's source breaks a rule; the message names file, cell and rule."""


class AnswerError(AutograderError):
    """An answer file (`wrong.py`, `right.py`, a file to try) cannot be read as answers."""
