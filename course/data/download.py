"""Fetch the files of real data sets: once, checked, and whole or not at all.

`COURSE_DATA_DIR` names a mirror, a folder with a subfolder a set: files come from there, plain
or compressed (`.gz`). Without it they come from their source on the internet and stay in a
cache, in `COURSE_CACHE_DIR` or where the operating system keeps caches. Each file's SHA-256 is
compared with the one we know before anybody reads it.
"""

import contextlib
import gzip
import hashlib
import os
import sys
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from pathlib import Path

from course.data.progress import progress
from course.errors import CourseError
from course.files import write_atomic

BLOCK = 1 << 16
TIMEOUT = 30  # seconds without a byte


@dataclass(frozen=True)
class Source:
    """A file of a data set: where it lies in mirror and cache, and where it comes from.

    `sha256`, in hexadecimal digits, is that of the file uncompressed.
    """

    folder: str
    file: str
    url: str
    sha256: str


def fetch(source):
    """Return the bytes of a file, uncompressed and checked.

    Raises:
        CourseError: if the file is missing, differs from the one we know, or cannot be
            fetched or kept. Nothing half-written stays.
    """
    mirror = os.environ.get("COURSE_DATA_DIR")
    if mirror:
        return _from_mirror(source, Path(mirror))
    cached = cache_folder() / source.folder / source.file
    try:
        data = cached.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise CourseError(f"{cached} cannot be read: {error.strerror}.") from None
    if _sha256(data) == source.sha256:
        return data
    data = _download(source)
    if _sha256(data) != source.sha256:
        raise CourseError(
            f"{source.url} is not the file we know (its SHA-256 differs), so it was not kept: "
            "try again, or set COURSE_DATA_DIR to a folder that has it."
        )
    try:
        write_atomic(cached, data)
    except OSError as error:
        raise CourseError(
            f"{cached} cannot be written ({error.strerror}): set COURSE_CACHE_DIR to a folder "
            "where you may write."
        ) from None
    return data


def cache_folder():
    """Return the folder where fetched files stay."""
    if named := os.environ.get("COURSE_CACHE_DIR"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "transformers-course"


def _from_mirror(source, mirror):
    """Return a file's bytes from the mirror, where it may be compressed."""
    plain = mirror / source.folder / source.file
    packed = plain.with_name(plain.name + ".gz")
    path = plain if plain.exists() else packed
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path == packed else data
    except FileNotFoundError:
        raise CourseError(
            f"COURSE_DATA_DIR has no {plain.relative_to(mirror)}: put the file into {mirror}, or "
            "unset COURSE_DATA_DIR to download it."
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise CourseError(f"{packed} is damaged: copy it into the mirror again.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from None
    if _sha256(data) != source.sha256:
        raise CourseError(
            f"{path} is not the file we know (its SHA-256 differs): copy it into the mirror again."
        )
    return data


def _download(source):
    """Return what the source sends, all of it."""
    try:
        data, total = _receive(source)
    except urllib.error.HTTPError as error:
        error.close()
        raise CourseError(
            f"{source.url} answers {error.code} {error.reason}: the file is not there, so set "
            "COURSE_DATA_DIR to a folder that has it."
        ) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise CourseError(
            f"{source.url} cannot be reached ({reason}): check the network, or set "
            "COURSE_DATA_DIR to a folder that has the file."
        ) from None
    if total and len(data) != total:
        got = f"{len(data):,} of {total:,} bytes"
        raise CourseError(f"{source.url} broke off after {got}: try again.")
    return data


def _receive(source):
    """Return the bytes that came, and how many were announced (0: unknown)."""
    request = urllib.request.Request(source.url, headers={"User-Agent": "transformers-course"})
    data = bytearray()
    with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
        total = int(reply.headers.get("Content-Length") or 0)
        with progress(source.file, total) as advance, contextlib.suppress(IncompleteRead):
            while block := reply.read(BLOCK):
                data += block
                advance(len(block))
    return bytes(data), total


def _sha256(data):
    return hashlib.sha256(data).hexdigest()
