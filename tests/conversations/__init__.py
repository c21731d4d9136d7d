"""Conversations: opening, touching, reading, listing."""
