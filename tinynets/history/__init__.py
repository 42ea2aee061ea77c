"""History: moments, branches, keyframes, and moves between them."""
