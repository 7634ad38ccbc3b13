"""What every part of Bordereau shares: the law, what may be said, what has happened, and the tools."""
