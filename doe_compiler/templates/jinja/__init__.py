"""The syntax `jinja`: parse and check in a sandbox, lower to placeholders and derived columns, render."""
