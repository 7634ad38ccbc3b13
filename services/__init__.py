"""The services. Each owns its rows and publishes what happens to them; none imports another."""
