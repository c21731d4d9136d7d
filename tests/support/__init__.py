"""The bench that every test stands on."""
