"""How every part is doing."""
