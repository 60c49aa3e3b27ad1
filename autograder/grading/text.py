"""From the bytes of a file to its text: archives, and the encodings that editors leave.

`Unreadable` is what the reading of a submission raises.
"""

import codecs
import io
import re
import stat
import zipfile
import zlib

from autograder.errors import CourseError

MAX_BYTES = 20 * 2**20
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "It began with a byte order mark; it was left out."),
    (codecs.BOM_UTF32_LE, "utf-32", "It was saved as UTF-32; it was read all the same."),
    (codecs.BOM_UTF32_BE, "utf-32", "It was saved as UTF-32; it was read all the same."),
    (codecs.BOM_UTF16_LE, "utf-16", "It was saved as UTF-16; it was read all the same."),
    (codecs.BOM_UTF16_BE, "utf-16", "It was saved as UTF-16; it was read all the same."),
    (b"{\0", "utf-16-le", "It was saved as UTF-16; it was read all the same."),
    (b"\0{", "utf-16-be", "It was saved as UTF-16; it was read all the same."),
)


class Unreadable(CourseError):
    """A file that is no notebook; the sentence says why, without the file's name."""


class Undecided(Unreadable):
    """A notebook of which only its author knows what shall count."""


def unpacked(data):
    """Return the bytes of the only notebook in a zip archive.

    Raises:
        Unreadable: there is none, there are several, or the archive is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [e for e in archive.infolist() if _is_notebook(e)]
            if len(entries) != 1:
                raise Unreadable(f"it is a zip archive with {len(entries)} notebooks, not one")
            with archive.open(entries[0]) as opened:
                found = opened.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            OSError, ValueError):  # fmt: skip
        raise Unreadable("it is a damaged zip archive") from None
    if len(found) > MAX_BYTES:
        raise Unreadable(f"the notebook in the archive is larger than {MAX_BYTES // 2**20} MB")
    return found


def _is_notebook(entry):
    parts = entry.filename.split("/")
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    link = stat.S_ISLNK(entry.external_attr >> 16)
    return parts[-1].lower().endswith(".ipynb") and not hidden and not link


def decoded(data, flaws):
    """Return the text of a file, in whichever encoding an editor left it.

    Args:
        data: the bytes of the file.
        flaws: list of sentences, to which one is added where it was not UTF-8.

    Raises:
        Unreadable: it is no text.
    """
    mark, encoding, flaw = next((m for m in MARKS if data.startswith(m[0])), (b"", "utf-8", ""))
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return _other_encoding(data, flaws) if encoding == "utf-8" else _no_text()
    flaws += [flaw] if flaw else []
    return text


def _other_encoding(data, flaws):
    """Read what is not UTF-8: damaged UTF-8 where letters of it are left, else Windows text."""
    if not data.lstrip().startswith((b"{", b"<<<<<<<")):
        _no_text()
    if re.search(rb"[\xc2-\xf4][\x80-\xbf]", data):
        text = data.decode("utf-8", "replace")
        flaws.append("Some of its letters were damaged; the others were read.")
        return text
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        _no_text()
    flaws.append("It was saved in an encoding of Windows; it was read all the same.")
    return text


def _no_text():
    raise Unreadable("it is not text, so it is no notebook")
