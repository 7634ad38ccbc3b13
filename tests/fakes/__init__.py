"""In-memory fulfilments of the contracts: they remember in attributes and apply the real law. Nothing is patched."""
