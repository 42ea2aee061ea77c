"""Arrays and numbers, without networks."""
