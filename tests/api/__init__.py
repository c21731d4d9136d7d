"""Tests of the JSON door, by what a caller does."""
