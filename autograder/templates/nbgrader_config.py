"""nbgrader's settings for this course.

`nbgrader autograde` and formgrader's button take the same path as `autograder grade`: what runs is
rebuilt from the source, and the verdict is the course's autograder's.
"""

from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import AssignLatePenalties, ClearHiddenTests, GetGrades, SaveAutoGrades

from autograder.late import LatePolicy
from autograder.nbgrader_preprocessors import GradeRebuilt, RebuildFromSource

c = get_config()  # noqa: F821

c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "digest.txt",
    "verdict.json",
]

# The gradebook is a file of SQLite's, gradebook.db. For very large classes, or where several people
# grade at the same time, PostgreSQL:
# c.CourseDirectory.db_url = "postgresql://user:password@host/database"

c.Autograde.sanitize_preprocessors = [RebuildFromSource]
c.Autograde.autograde_preprocessors = [GradeRebuilt, SaveAutoGrades, AssignLatePenalties]

# nbgrader's own feedback shows whole test cells: hidden tests are taken out first.
c.GenerateFeedback.preprocessors = [GetGrades, ClearHiddenTests, CSSHTMLHeaderPreprocessor]
c.HTMLExporter.sanitize_html = True

# What lateness costs, as nothing does yet. `autograder due SHEET TIME` sets due dates.
c.AssignLatePenalties.plugin_class = LatePolicy
# c.LatePolicy.percent_a_day = 10        # of the score, for each day begun
# c.LatePolicy.grace_minutes = 15        # so late costs nothing
# c.LatePolicy.most_percent = 50         # never more than this
# c.LatePolicy.nothing_after_days = 7    # later than this, no point is left
