"""What runs: the queue, run directories, processes, outputs."""
