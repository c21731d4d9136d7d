"""What the HTML door's forms accept."""
