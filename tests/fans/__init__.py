"""Fans: found or made by their platform id."""
