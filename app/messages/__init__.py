"""What is written, and how far it got."""
