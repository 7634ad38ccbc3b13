"""The processes, one class per file. They know contracts and law, and no service."""
