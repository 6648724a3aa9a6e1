"""Collect what the runs gave: a row a run, inputs as they went in, responses as numbers, states."""
