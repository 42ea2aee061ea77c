"""The panes, one file each: what a pane shows of a run, as plain data."""
