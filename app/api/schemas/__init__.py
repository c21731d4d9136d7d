"""What the JSON door accepts and answers."""
