"""The instructor's side: a course folder over nbgrader, from release to export.

Each step is one function in the module of its name: `init`, `release`, `collect`, `grade`,
`feedback`, `export`, `demo`. They return plain data and raise `CourseError` for mistakes.
"""
