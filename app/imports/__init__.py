"""Fans from CSV files."""
