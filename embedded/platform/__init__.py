"""A simulated platform: a small HTTP program that speaks the real platform's contract and fails on demand."""
