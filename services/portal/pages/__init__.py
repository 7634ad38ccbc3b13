"""The pages, one module per area. A page asks the services, lays out what they answer, and decides nothing."""
