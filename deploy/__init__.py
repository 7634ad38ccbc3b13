"""How the processes are started, here and on real servers. Imports nothing of ours: it starts programs, it does not know them."""
