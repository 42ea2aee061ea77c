"""Controllers carry out the actions of the keys; they share `Commands` and never call one another."""
