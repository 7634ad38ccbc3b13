"""The tools every service is built with. They know no certificate: what is written here fits any service."""
