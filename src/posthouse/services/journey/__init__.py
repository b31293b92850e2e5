"""What happened to each message, and why, in words.

``steps`` names the steps, ``entries`` makes ids and entries, ``story`` finds and tells. The rows themselves are
written in the commits that they speak of. Tests: ``tests/unit/services/journey``.
"""
