"""An experiment: recipe, data, a network with its history, and its evaluation."""
