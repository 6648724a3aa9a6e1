"""What exists on the platform: the jobs with a study's mark, the rows that they hold, their states."""
