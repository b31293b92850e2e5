"""From the name and arguments of a command to its value. ``table.COMMANDS`` says which there are and when."""
