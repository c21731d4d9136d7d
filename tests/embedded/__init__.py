"""The embedded parts, with real processes."""
