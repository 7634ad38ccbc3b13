"""Real processes, killed by their ids."""
