"""The terminal app: it draws frames and sends commands. It can do nothing that `tinynets.Lab` cannot."""
