"""Plain functions of frames."""
