"""What nbgrader needs so that its own commands and formgrader grade as `course grade` does."""

from pathlib import Path

from autograder.build.release import configure as configure_release

OURS = "autograder.grading"
TEMPLATES = Path(__file__).parent / "templates"
EXCHANGE = "exchange"
TEMPLATE = '''"""nbgrader's configuration of this course folder, written by `course init`.

`configure` makes `nbgrader autograde`, `nbgrader generate_feedback` and formgrader grade as
`course grade` does. Put your own settings below it.
"""

from pathlib import Path

from autograder.grading.config import configure

c = get_config()  # noqa: F821
configure(c, Path(__file__).parent)

# Where the grades are kept: gradebook.db in this folder, or a database of a PostgreSQL server,
# which needs the extra [postgresql]. A password belongs into ~/.pgpass.
# c.CourseDirectory.db_url = "postgresql://user@host:5432/database"

# Seconds that one cell and one call of a learner's function may take.
# c.Judge.cell_seconds = 60
# c.Judge.call_seconds = 30

# Where the buttons "Release" and "Collect" of formgrader, and nbgrader's commands of these names,
# put and find files: a folder that you and your learners can reach on one machine.
# c.Exchange.root = "/srv/nbgrader/exchange"

# What a late submission loses: here a tenth of its score for each day begun.
# c.AssignLatePenalties.plugin_class = "autograder.grading.late.LatePenalty"
# c.LatePenalty.share_per_day = 0.1
'''

COMMENTED = '# c.CourseDirectory.db_url = "postgresql://user@host:5432/database"'


def template(db_url=None):
    """Return the text of `nbgrader_config.py`, with the address of a gradebook elsewhere."""
    own = COMMENTED if db_url is None else f"c.CourseDirectory.db_url = {db_url!r}"
    return TEMPLATE.replace(COMMENTED, own)


def configure(config, folder):
    """Set up nbgrader for a course folder.

    Args:
        config: the traitlets configuration object of `nbgrader_config.py`.
        folder: the course folder.
    """
    import nbgrader

    folder = Path(folder).resolve()
    nbgraders = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
    configure_release(config)
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.course_id = "transformers"
    config.Exchange.root = str(folder / EXCHANGE)
    # Else formgrader warns that it cannot show the server's configuration, which is Jupyter's own.
    config.FormgradeExtension.debug = False
    config.Autograde.exporter_class = f"{OURS}.preprocessors.TolerantExporter"
    config.Autograde.pre_convert_hook = f"{OURS}.preprocessors.settle"
    config.Autograde.sanitize_preprocessors = ["nbgrader.preprocessors.CheckCellMetadata"]
    config.Autograde.autograde_preprocessors = [
        f"{OURS}.preprocessors.Judge",
        f"{OURS}.preprocessors.SaveGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    config.HTMLExporter.preprocessors = [f"{OURS}.pages.Tidy"]
    config.HTMLExporter.filters = {"markdown2html": f"{OURS}.pages.markdown"}
    config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), str(nbgraders)]
