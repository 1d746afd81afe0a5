"""Where runs are done: on this machine, on a Ray or on a Slurm cluster; a file each."""
