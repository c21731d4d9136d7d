"""What the money and the messages of accounts add up to."""
