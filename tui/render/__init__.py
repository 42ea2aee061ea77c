"""Colours, lines, glyphs, pictures and plots: everything drawn as text."""
