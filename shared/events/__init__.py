"""What has happened: facts in the past tense, published over NATS. Ids rather than persons; additive changes only."""
