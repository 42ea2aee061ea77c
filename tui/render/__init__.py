"""Colours, lines, glyphs, pictures and plots."""
