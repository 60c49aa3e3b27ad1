"""One server and one browser for the stories; on failure a picture and the server's log."""

import shutil
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect, sync_playwright

from tests.e2e import servers

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 90_000


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
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail("Chromium is missing: install it (Debian, Ubuntu: apt install chromium).")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        with playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS)) as browser:
            yield browser


@pytest.fixture
def page(browser):
    """A fresh page of 1280 by 800."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


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
