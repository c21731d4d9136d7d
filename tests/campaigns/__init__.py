"""Campaigns: their rules, rows and verbs."""
