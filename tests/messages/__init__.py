"""Messages: what they may hold, and what people do to them."""
