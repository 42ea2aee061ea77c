"""Looking at a run: the Frame that a View asks for."""
