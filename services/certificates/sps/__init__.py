"""A certificate as UN/CEFACT SPS certificate (XML, version 17): written, read, and held against its structure.

One thing to remember: the standard has no code list for certificates of inspection. What it has no element for stands
in notes, whose subjects are the rows of ``writing.NOTES``; so what is written here is read here without loss.
"""
