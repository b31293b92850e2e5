"""Bringing in what another mail system holds: readers, the plan, the writing of it.

A reader (``readers``) turns a source into a stream of records (``records``); ``plan`` checks each as if a person had
typed it; ``apply`` writes them through a ``sink`` in batches and can go on where it was interrupted. Nothing here
holds a whole source in memory. Tests: ``tests/unit/services/administration/importing``.
"""
