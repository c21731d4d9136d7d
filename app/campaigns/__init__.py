"""One text sent to many fans."""
