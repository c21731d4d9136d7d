"""The outside world behind small interfaces; knows no room."""
