"""A Jupyter server extension: formgrader's autograde button grades beside the server's loop.

nbgrader runs the autograder inside the event loop, so that one slow notebook holds up every other
request. Here the button does what `course grade` does, in a thread, one press after another; the
warm process stays for the next press. Course folders without our configuration keep nbgrader's way.
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

OURS = "autograder.grading"
_one_at_a_time = ThreadPoolExecutor(1, thread_name_prefix="formgrader-autograde")


def _jupyter_server_extension_points():
    return [{"module": "autograder.grading.server"}]


def _load_jupyter_server_extension(app):
    """Replace what the button calls; does nothing where nbgrader is not installed."""
    try:
        from nbgrader.server_extensions.formgrader import apihandlers
        from nbgrader.server_extensions.formgrader.base import check_notebook_dir, check_xsrf
        from tornado import web
    except ImportError:
        return
    handler = apihandlers.AutogradeHandler
    if getattr(handler, "grades_beside_the_loop", False):
        return
    inside_the_loop = handler.post

    @web.authenticated
    @check_xsrf
    @check_notebook_dir
    async def post(self, assignment_id, student_id):
        if not is_ours(self.api.parent.config):
            inside_the_loop(self, assignment_id, student_id)
            return
        loop = asyncio.get_running_loop()
        arguments = (self.coursedir.root, assignment_id, student_id)
        self.write(json.dumps(await loop.run_in_executor(_one_at_a_time, press, *arguments)))

    handler.post, handler.grades_beside_the_loop = post, True


def is_ours(config):
    """Return whether a course folder's configuration grades as `course grade` does."""
    return str(config.get("Autograde", {}).get("exporter_class", "")).startswith(OURS)


def press(root, assignment, learner):
    """Grade one submission; return what nbgrader's page expects: success, log and error."""
    from autograder.grading.grade import grade

    try:
        grades = grade(root, [assignment], [learner], jobs=1)
    except Exception as error:  # noqa: BLE001  the page shows whatever went wrong
        return {"success": False, "error": str(error) or type(error).__name__, "log": ""}
    lines = [
        f"{row.learner}: {row.score:g} of {row.max_score:g} points ({row.state}, {grades.tier})"
        for row in grades.rows
    ]
    lines += [note for row in grades.rows for note in row.notes]
    result = {"success": not grades.problems, "log": "\n".join(lines)}
    if grades.problems:
        result["error"] = "\n".join(grades.problems)
    return result
