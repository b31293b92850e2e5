"""The administration over HTTP: routes, description and documentation made from the operations."""
