"""The directory service owns organisations (operators, control bodies, authorities) and the roles of persons in them.

An organisation's record is public to everybody who is signed in; each change of it is told to all, whole.
"""
