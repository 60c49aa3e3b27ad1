"""The instructor's side: a course folder over nbgrader, from release to export.

Each step is one function in the module of its name: `init`, `release`, `collect`, `grade`,
`feedback`, `export`, `demo`. They return plain data and raise `CourseError` for mistakes.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # quiz keys are computed with the package
