"""The law: pure tables and functions that anybody may ask and nobody may change at run time.

Standard library only; the time of day is an argument; nothing here reads a file, a database or a clock.
A rule is a row. Whoever looks for a rule opens the module named after it:

    status.py       which statuses there are, and which moves lead from one to the next
    permissions.py  who may edit which box and do what, status by status: the matrix of guide 002 §3.3
    verdict.py      may this be done, now, by these? the question every order and every edit is asked
    boxes.py        every field of the certificate, its number and title on each printed form, when it is needed
    content.py      what stands in the boxes: who is bound by it, what follows from it, what has changed
    shape.py        whether what somebody sends has the shape of boxes
    forms.py        what an order must say besides its name: checks, decision, reason
    problems.py     everything that is wrong with a certificate before an action, all at once
    parties.py      an organisation as the law sees it, and the facts a verdict rests on
    countries.py    country codes, the Union, and where no certificate is needed
    deadlines.py    the clocks: what rings, how long after what, whom it tells, what happens then
    roles.py        kinds of organisations and what they do; who validates whom
    actor.py        who asks, for which organisation, in which session
    refusals.py     the ways of saying no, each with its HTTP status and its sentence
    sentences.py    the English sentence for every code, ready for translation
"""
