"""What is open: recipe, data, network with its history, and measuring it."""
