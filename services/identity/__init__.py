"""The identity service owns persons: their accounts, their passwords, their sessions and the tokens made from them.

A secret is never kept: of a password there is an argon2id hash, of a session's secret its digest.
"""
