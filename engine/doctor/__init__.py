"""What an operator asks before and after going live; it watches nothing and mends when told to."""
