"""Recipes: experiments as plain data, those that ship, and how they are read and checked."""
