"""One file a pane: what it shows of a run, as plain data."""
