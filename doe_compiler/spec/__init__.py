"""Read a study: YAML text and the files that it names become a checked, typed Spec."""
