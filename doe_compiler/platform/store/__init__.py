"""What keeps: the database, jobs, runs, files and their contents."""
