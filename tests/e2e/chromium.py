"""The browser of the stories: the system's Chromium, without a window."""

import contextlib
import shutil

from playwright.sync_api import expect, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
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
VIEW = {"width": 1280, "height": 800}
PATIENCE = 90_000


@contextlib.contextmanager
def chromium():
    """Start Chromium and end it again.

    Raises:
        AssertionError: there is none.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, "Chromium is missing: install it (Debian, Ubuntu: apt install chromium)."
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        with playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS)) as browser:
            yield browser


@contextlib.contextmanager
def fresh_page(browser):
    """Open a page that knows nothing of the ones before; in the light theme."""
    with browser.new_context(viewport=VIEW, color_scheme="light") as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()
