"""The lab's main screen, and the screens that open over it: help, open, questions."""
