"""An edit of a design that buys runs again is told by the plan, with what would not: real runs, a real edit."""

LINES = [f"  {name}: {{generator: Uniform, min: 0, max: 1}}" for name in "abc"]
MORE = {"design": "{method: sobol, runs: 8}", "deck": "x = ${a} ${b} ${c}\n", "responses": "  {}"}


def test_variables_in_another_order_are_told_with_the_dimensions_that_bring_them_back(doe, study_at):
    def study(lines):
        return study_at(variables="\n".join(lines), **MORE)

    applied = doe("apply", study(LINES), "--yes")
    assert applied.returncode == 0, applied.stderr
    planned = doe("plan", study(LINES[::-1]))
    assert "Put them back, or give a `dimension: 1`, c `dimension: 3`" in planned.stdout, planned.stdout
    pinned = [line.replace("{generator", f"{{dimension: {n}, generator") for n, line in enumerate(LINES, 1)]
    planned = doe("plan", study(pinned[::-1]), "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout
    assert "8 runs unchanged" in planned.stdout
