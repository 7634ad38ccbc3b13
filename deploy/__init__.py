"""How the processes are started, here and on real servers. It starts programs of ours and imports none of them."""
