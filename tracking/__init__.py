"""What happened, what it cost, and where it is kept."""
