"""What lateness costs: nbgrader's plugin for late penalties, set in the course's configuration."""

import math

from nbgrader.plugins import BasePlugin
from traitlets import Float

_DAY = 24 * 60 * 60


class LatePolicy(BasePlugin):
    """Takes some percent of a score for each day begun; nothing at all until it is told how many.

    A submission within the grace period counts as in time. Days are counted from the due date (of
    the student: an extension moves it), not from the end of the grace period.
    """

    percent_a_day = Float(0, min=0, max=100, help="Taken off for each day begun.").tag(config=True)
    grace_minutes = Float(0, min=0, help="So late costs nothing yet.").tag(config=True)
    most_percent = Float(100, min=0, max=100, help="Never more than this.").tag(config=True)
    nothing_after_days = Float(
        None, min=0, allow_none=True, help="Later than this, no point is left."
    ).tag(config=True)

    def late_submission_penalty(
        self,
        student_id: str,  # noqa: ARG002
        score: float,
        total_seconds_late: float,
    ) -> float | None:
        """The points to take off a score; None for none.

        Args:
            student_id: as nbgrader passes it; all students are treated alike.
            score: points by tests and by hand.
            total_seconds_late: seconds after the student's due date.
        """
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        days = total_seconds_late / _DAY
        if self.nothing_after_days is not None and days > self.nothing_after_days:
            return score
        percent = min(self.most_percent, self.percent_a_day * math.ceil(days))
        return score * percent / 100 if percent else None
