"""The HTML door, by what its visitors do."""
