"""The screen of the lab, and those that open over it: help, open, questions."""
