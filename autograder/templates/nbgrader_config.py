"""nbgrader's settings for this course.

`nbgrader autograde` and formgrader's button take the same path as `autograder grade`: what runs is
rebuilt from the source, and the verdict is the course's autograder's.
"""

from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import AssignLatePenalties, ClearHiddenTests, GetGrades, SaveAutoGrades

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
