"""The reverse of the bundle: a job as the platform shows it becomes a study and the files beside it."""
