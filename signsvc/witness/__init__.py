"""The witness (见证人): somebody else's memory of a log, so that its keeper cannot put back or rewrite its past.

A witness needs nothing of ours but the log's public key. It remembers the largest tree it has seen of each log,
cosigns only what continues it, and keeps what it remembers before anybody hears of the cosignature.
"""
