"""Tests of the doors to the platform and to the queue."""
