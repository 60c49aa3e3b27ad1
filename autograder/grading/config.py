"""What nbgrader needs so that its own commands and formgrader grade as `course grade` does."""

from pathlib import Path

from autograder.build.release import configure as configure_release

TEMPLATE = '''"""nbgrader's configuration of this course folder, written by `course init`.

`configure` makes `nbgrader autograde`, `nbgrader generate_feedback` and formgrader grade as
`course grade` does. Put your own settings below it.
"""

from pathlib import Path

from autograder.grading.config import configure

c = get_config()  # noqa: F821
configure(c, Path(__file__).parent)

# Seconds that one cell and one call of a learner's function may take.
# c.Judge.cell_seconds = 60
# c.Judge.call_seconds = 30

# What a late submission loses: here a tenth of its score for each day begun.
# c.AssignLatePenalties.plugin_class = "autograder.grading.late.LatePenalty"
# c.LatePenalty.share_per_day = 0.1
'''


def configure(config, folder):
    """Set up nbgrader for a course folder.

    Args:
        config: the traitlets configuration object of `nbgrader_config.py`.
        folder: the course folder.
    """
    from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata

    from autograder.grading import preprocessors as ours

    configure_release(config)
    config.CourseDirectory.root = str(Path(folder).resolve())
    config.CourseDirectory.course_id = "transformers"
    config.Autograde.exporter_class = ours.TolerantExporter
    config.Autograde.pre_convert_hook = ours.settle
    config.Autograde.sanitize_preprocessors = [CheckCellMetadata]
    config.Autograde.autograde_preprocessors = [
        ours.Judge,
        ours.SaveGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
