"""From a Spec to a Design: the table of runs, each cell the text that goes into the CSV."""
