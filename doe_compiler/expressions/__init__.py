"""The one small language of expressions and constraints: arithmetic, comparisons, the usual functions."""
