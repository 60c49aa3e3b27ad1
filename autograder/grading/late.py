"""A late penalty that grows with the days."""

import math

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float


class LatePenalty(LateSubmissionPlugin):
    """Takes a share of the score for each day begun after the due date."""

    share_per_day = Float(0.1, help="Share of the score that each day begun costs.").tag(
        config=True
    )

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        """Return the points that lateness costs, at most the whole score."""
        days = math.ceil(total_seconds_late / 86_400)
        return round(score * min(1.0, self.share_per_day * days), 4)
