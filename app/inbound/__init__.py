"""What happens on the platform arrives here: webhooks, and what is read to catch up with them."""
