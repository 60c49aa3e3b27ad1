"""`course lab` serves the learner's workspace, in a real server, and ends cleanly."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from course.errors import CourseError
from course.lab import lab_environment, lab_options, start_lab
from course.workspace import PACKAGE

COURSE = Path(sys.executable).with_name("course")


def test_kernels_find_the_learners_package(tmp_path):
    environment = lab_environment(tmp_path, {"PYTHONPATH": "elsewhere", "PATH": "bin"})
    assert environment["PYTHONPATH"] == os.pathsep.join([str(tmp_path), "elsewhere"])
    assert environment["COURSE_WORKSPACE"] == str(tmp_path)
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert lab_environment(tmp_path, {"KERAS_BACKEND": "jax"})["KERAS_BACKEND"] == "jax"


def test_start_page_is_rendered_and_opened_first(tmp_path):
    settings = json.loads(
        (PACKAGE / "jupyter_config/labconfig/default_setting_overrides.json").read_text()
    )
    viewers = settings["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers == {"markdown": "Markdown Preview"}
    options = lab_options(tmp_path)
    assert "--LabApp.default_url=/lab/tree/start.md" in options
    assert "--LabApp.expose_app_in_browser=True" in options


def test_missing_start_page_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("course.lab.labs_root", lambda: tmp_path)
    with pytest.raises(CourseError, match="course build"):
        start_lab(browser=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_server_answers_passes_over_a_busy_port_and_stops(tmp_path):
    environment = os.environ | {
        "COURSE_WORKSPACE": str(tmp_path / "workspace"),
        "NO_BROWSER": "1",
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PYTHONUNBUFFERED": "1",
    }
    with socket.create_server(("localhost", 0)) as busy:
        port = busy.getsockname()[1]
        command = [COURSE, "lab", "--port", str(port), "--learner", "mia"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process:
            try:
                lines = iter(process.stdout.readline, "")
                url = next(m[1] for line in lines if (m := re.search(r"open at (\S+)", line)))
                page, _, token = url.partition("?token=")
                base = page.partition("/lab/")[0]
                request = f"{base}/api/contents/start.md?content=0&token={token}"
                with urllib.request.urlopen(request, timeout=30) as answer:
                    assert json.load(answer)["path"] == "start.md"
            finally:
                process.send_signal(signal.SIGINT)
                rest = process.communicate(timeout=60)[0]
    assert f":{port}/" not in url
    assert process.returncode == 0
    assert "JupyterLab has stopped." in rest
    assert "Traceback" not in rest
    assert (tmp_path / "workspace/.course/learner").read_text() == "mia\n"
