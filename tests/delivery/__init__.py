"""Tests of the way of a message from the queue to the platform."""
