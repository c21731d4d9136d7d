"""Tests of what arrives from the platform."""
