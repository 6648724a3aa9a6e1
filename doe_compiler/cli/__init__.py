"""The commands of `doe`: one file a command; parse, call the pipeline, show."""
