"""Desired against actual: which rows are missing, which drafts to submit, what to leave alone; pure."""
