"""What `make run` starts on this machine: PostgreSQL, NATS, Temporal, a mail catcher and our services."""
