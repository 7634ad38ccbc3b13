"""The law: pure tables and functions that anybody may ask and nobody may change at run time.

Standard library only; the time of day is an argument; nothing here reads a file, a database or a clock.
A rule is a row. Whoever looks for a rule opens the module named after it:

    status.py       which statuses there are, and which moves lead from one to the next
    permissions.py  who may edit which box and do what, status by status: the matrix of guide 002 §3.3
    verdict.py      may this be done, now, by these? the question every order is asked
    boxes.py        every field of the certificate, its number on each printed form, when it is needed
    problems.py     everything that is wrong with a certificate before an action, all at once
    parties.py      an organisation as the law sees it: kind, activities, recognitions
    forms.py        what an order must say besides its name: checks, decision, reason
    deadlines.py    the clocks: what rings, how long after what, whom it tells
    roles.py        kinds of organisations and people, and who validates whom
    actor.py        who asks, for which organisation
    refusals.py     the ways of saying no, each with its HTTP status
    sentences.py    the English sentence for each code, ready for translation
"""
