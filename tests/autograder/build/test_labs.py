"""`labs/` is what the sources give: nobody edits it by hand, and nobody forgets to build."""

import pytest

from autograder.build.release import build


@pytest.mark.slow
def test_labs_are_what_the_sources_give():
    """Run `course build` when this fails."""
    assert build(check=True) == []
