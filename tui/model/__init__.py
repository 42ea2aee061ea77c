"""Plain functions that compute what the app needs from a frame."""
