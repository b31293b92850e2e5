"""The statements that answer reads, as plain functions over a connection. They run in place and never wait."""
