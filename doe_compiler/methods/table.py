"""table: the rows of a CSV."""

from doe_compiler.methods.method import Method, Task


def _rows_of_file(_task: Task) -> int:
    raise ValueError("the rows of the file count")


TABLE = Method(
    "table",
    "The rows of a CSV file, whose columns are variables.",
    "the user",
    "everything: a row is what the file says",
    ("file", "decimal", "constraints"),
    _rows_of_file,
)
