"""The one object that a user holds."""
