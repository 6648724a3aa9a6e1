"""Runs as tasks of Slurm job arrays."""
