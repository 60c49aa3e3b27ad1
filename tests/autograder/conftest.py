"""A learner's workspace with made-up labs, for tests that do not bring their own."""

import pytest

from course.workspace import prepare
from tests.course import sample


@pytest.fixture
def labs(tmp_path):
    """A folder of made-up labs."""
    return sample.make_labs(tmp_path / "labs")


@pytest.fixture
def workspace(tmp_path, labs):
    """A learner's workspace made from them."""
    prepare(labs, tmp_path / "workspace")
    return tmp_path / "workspace"
