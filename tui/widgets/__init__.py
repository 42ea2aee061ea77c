"""The panes and strips of the lab; each draws a part of a frame."""
