"""The subscribers of an account."""
