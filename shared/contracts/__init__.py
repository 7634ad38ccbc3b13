"""What may be said over a border: messages, views and the activities a service promises. Frozen, one sentence each."""
