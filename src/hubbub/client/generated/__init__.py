"""What is made of the method table of the daemon."""
