"""The certificates service owns certificates: their contents, their journal, their seals and their numbers.

The row is the paper: a move has happened when ``moves.record`` has written it, and not before.
"""
