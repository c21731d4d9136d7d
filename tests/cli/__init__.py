"""`flask` on the command line."""
