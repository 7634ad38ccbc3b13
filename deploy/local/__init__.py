"""What `make run` starts: PostgreSQL, NATS, Temporal, a mail catcher and our services, on this machine and nowhere else."""
