"""Fans from CSV files: what is read, and what becomes of it."""
