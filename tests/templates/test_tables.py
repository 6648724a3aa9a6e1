"""Lookup tables: the row of a key is that of the equal text, or else of the equal number."""

import pytest

from doe_compiler.templates.jinja.tables import NotInTable, looked_up

TABLE = (["material", "E"], [["7", "0.1"], ["007", "0.2"], ["8.0", "0.3"], ["9", "0.4"], ["9.0", "0.5"]])


@pytest.mark.parametrize(("key", "value"), [("007", "0.2"), (7, "0.1"), (8, "0.3"), ("9.0", "0.5")])
def test_the_equal_text_comes_before_the_equal_number(key, value):
    assert str(looked_up(TABLE, "mat.csv", key, "E")) == value


def test_two_rows_of_one_number_are_refused():
    with pytest.raises(NotInTable, match=r"2 rows '9\.00'"):
        looked_up(TABLE, "mat.csv", "9.00", "E")
