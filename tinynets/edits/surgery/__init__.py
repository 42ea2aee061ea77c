"""Surgery: changes the shape of a network and carries its state over."""
