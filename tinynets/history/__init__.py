"""Time: moments, branches, keyframes, going back and forth."""
