"""The terminal app: it draws frames and sends commands; all that it can do, `tinynets.Lab` can."""
