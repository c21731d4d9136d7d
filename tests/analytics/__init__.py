"""Figures, and what keeps them right."""
