"""The guides' stories by hand, in a real browser, on the deployment's own processes."""
