"""What an administrator describes, and what a user may ask of it."""
