"""Owns letters and news: who is told what, in his language, and what became of each letter.

What happens elsewhere arrives as events; ``letters.LETTERS`` says who is told. An event becomes *notices* (one per
organisation), a notice becomes a *letter* and a piece of *news* (one per person), however often the event arrives.
"""
