"""Journeys: messages on their way through the real parts, judged at the platform's door."""
