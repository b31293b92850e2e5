"""Persistence: the contract, its implementations, schema, migrations, bodies.

``contract`` says what every engine promises; ``values`` what callers hand in; ``rows`` what they get back.
``open_store`` picks the engine by URL. This room knows no protocol and no policy. Tests: ``tests/contract/store``.
"""
