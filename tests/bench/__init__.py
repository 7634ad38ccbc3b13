"""``make bench``: what a certificate's life costs, beside the bare engine on the same server in the same run."""
