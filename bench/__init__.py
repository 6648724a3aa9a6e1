"""Benchmarks: every figure is a ratio against a reference taken in the same run."""
