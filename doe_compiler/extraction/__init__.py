"""A value out of an output file: one code for the check, the generated script, `doe results` and the platform."""
