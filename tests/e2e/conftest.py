"""One server and one browser for the stories; on failure a picture and the servers' logs."""

import shutil
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Error

from tests.e2e import servers
from tests.e2e.chromium import chromium, fresh_page


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """The learner's JupyterLab, started by `course lab`."""
    root = tmp_path_factory.mktemp("learner")
    server = servers.course_lab(root / "workspace", root)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser():
    """Chromium; it ends with the story, since Playwright keeps this thread's event loop."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """A fresh page of 1280 by 800."""
    with fresh_page(browser) as page:
        yield page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a picture and the servers' logs of a story that failed; say where they are."""
    report = yield
    if report.when == "call" and report.failed:
        folder = Path(tempfile.mkdtemp(prefix="course-e2e-"))
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, servers.Server):
                shutil.copy(value.log, folder / f"{name}.log")
        try:
            item.funcargs["page"].screenshot(path=folder / "page.png")
        except (KeyError, Error):
            pass  # the story failed before there was a page, or with it
        report.sections.append(("picture and logs", str(folder)))
    return report
