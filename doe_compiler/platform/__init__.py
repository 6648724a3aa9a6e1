"""The embedded platform: the jobs API over SQLite and a folder of files, really running what it is given."""
