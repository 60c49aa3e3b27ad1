"""Make `.venv` and install the pinned packages: what `make setup` runs.

Needs nothing but Python. It may be stopped at any time and run again: it repairs what is
half done, and does nothing where all is in place.

    python3 course/install.py [--check] [EXTRA ...]

With `--check` it installs nothing: the exit code says whether all is in place.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
RECORD, LOG = VENV / "course-setup.json", VENV / "course-setup.log"
GIGABYTES = 4
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint():
    """Return a hash of what the installation depends on."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    parts = [file.read_bytes() for file in files] + [str(ROOT).encode(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def recorded():
    """Return the extras that are installed as the files ask now, or None."""
    try:
        record = json.loads(RECORD.read_bytes())
        return set(record["extras"]) if record["fingerprint"] == fingerprint() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def in_place(extras, installed):
    """Return True when these extras are among the installed ones, and Python runs."""
    return installed is not None and extras <= installed and runs("-c", "")


def runs(*arguments):
    """Return True when the environment's Python runs these arguments without an error."""
    try:
        return not subprocess.run([PYTHON, *arguments], capture_output=True).returncode
    except OSError:
        return False


def healthy():
    """Return True when `.venv` has this Python's version and a pip that works."""
    version = f"import sys; raise SystemExit(sys.version_info[:2] != {sys.version_info[:2]})"
    return runs("-c", version) and runs("-m", "pip", "--version")


def stage(sentence, command):
    """Run a command under one line that counts the seconds; return its exit code."""
    line = Line(sentence)
    VENV.mkdir(exist_ok=True)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with (
        LOG.open("a", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(command, text=True, errors="replace", **pipes) as process,
        line,
    ):
        for text in process.stdout:
            log.write(text)
            line.doing = what_pip_does(text) or line.doing
        line.done = "failed" if process.wait() else "done"
    return process.returncode


class Line:
    """One line of progress: it counts the seconds in a terminal, and says the end anywhere."""

    def __init__(self, sentence):
        self.sentence, self.doing, self.done = sentence, "", "stopped"
        self.start, self.over = time.monotonic(), threading.Event()
        self.live = sys.stdout.isatty()
        self.thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self):
        print(f"{self.sentence} ...", end="" if self.live else "\n", flush=True)
        if self.live:
            self.thread.start()
        return self

    def __exit__(self, *exception):
        self.over.set()
        if self.live:
            self.thread.join()
        self._write(f"{self.sentence}: {self.done}, {self._seconds()}", "\n")

    def _count(self):
        while not self.over.wait(1):
            self._write(f"{self.sentence} ... {self._seconds()} {self.doing}", "")

    def _write(self, text, end):
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{text[:width]:<{width}}" if self.live else text, end=end, flush=True)

    def _seconds(self):
        return f"{time.monotonic() - self.start:.0f} s"


def what_pip_does(line):
    """Return what a line of pip's output says, in a few letters: `downloading tensorflow`."""
    words = line.split()
    kinds = {"Collecting": "looking up", "Downloading": "downloading", "Installing": "unpacking"}
    if not words or words[0] not in kinds:
        return ""
    name = "" if words[0] == "Installing" else words[1].rpartition("/")[2].partition("-")[0]
    return f"{kinds[words[0]]} {name}".strip()


def fail(sentence):
    """End with one sentence."""
    print(sentence, file=sys.stderr)
    raise SystemExit(1)


def last_error():
    """Return the last line of the log that names an error, or the last line."""
    lines = [line.strip() for line in LOG.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no output"])[-1]


def install(extras):
    """Bring `.venv` to what pyproject.toml and constraints.txt ask, with these extras."""
    installed = recorded()
    if in_place(extras, installed):
        return
    free = shutil.disk_usage(ROOT).free / 1e9
    if installed is None and not (VENV / "pyvenv.cfg").exists() and free < GIGABYTES:
        fail(f"The installation needs {GIGABYTES} GB of disk and {ROOT} has {free:.1f} GB left.")
    RECORD.unlink(missing_ok=True)
    LOG.unlink(missing_ok=True)
    version = ".".join(map(str, sys.version_info[:3]))
    if not healthy():
        making = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        if stage(f"Making .venv with Python {version}", making):
            fail(f"Python {version} could not make .venv: {last_error()}")
    extras |= installed or set()
    target = f"{ROOT}[{','.join(sorted(extras))}]" if extras else str(ROOT)
    pip = [str(PYTHON), "-m", "pip", "install", "--progress-bar", "off", "--no-input"]
    pip += ["--disable-pip-version-check", "-c", str(ROOT / "constraints.txt"), "-e", target]
    if stage(f"Installing the pinned packages{_named(extras)} into .venv", pip):
        fail(f"The installation failed ({last_error()}); the whole output is in {LOG}.")
    runs("-m", "compileall", "-q", *(str(ROOT / house) for house in ("course", "autograder")))
    record = {"extras": sorted(extras), "fingerprint": fingerprint()}
    temporary = RECORD.with_suffix(".new")
    temporary.write_text(json.dumps(record))
    os.replace(temporary, RECORD)


def _named(extras):
    return f" and those for {', '.join(sorted(extras))}" if extras else ""


if __name__ == "__main__":
    wanted = set(sys.argv[1:])
    if "--check" in wanted:
        raise SystemExit(not in_place(wanted - {"--check"}, recorded()))
    try:
        install(wanted)
    except KeyboardInterrupt:
        fail("\nStopped. Run it again to go on.")
