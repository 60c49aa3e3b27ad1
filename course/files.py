"""Write files whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_atomic(path, data):
    """Write `data` (bytes or text) so that `path` holds the old or the new content, never half.

    The folder is made where it is missing.
    """
    path = Path(path)
    data = data.encode() if isinstance(data, str) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask():
    """Return the process's umask; reading it means setting it for an instant."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
