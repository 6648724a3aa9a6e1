"""The platform's placeholder language: parse, check, lower, substitute."""
