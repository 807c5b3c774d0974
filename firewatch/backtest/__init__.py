"""What other rules would have said: the same engine over stored history, and the difference to what was said."""
