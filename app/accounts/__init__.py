"""Who may come in, and what belongs to whom."""
