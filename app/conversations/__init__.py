"""The thread of one account with one fan."""
