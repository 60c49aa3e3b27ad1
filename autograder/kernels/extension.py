"""A Jupyter server extension: the zygote comes with the server and goes with it."""

from autograder.kernels.owner import ZygoteError
from autograder.kernels.provisioner import zygote


def _jupyter_server_extension_points():
    return [{"module": "autograder.kernels.extension"}]


def _load_jupyter_server_extension(app):
    """Start the warm process, so that the first notebook finds it ready."""
    try:
        zygote()
    except (ZygoteError, OSError) as error:
        app.log.info("%s", error)
