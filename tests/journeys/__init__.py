"""Stories through the real everything."""
