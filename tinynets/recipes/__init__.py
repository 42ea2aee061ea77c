"""Recipes: experiments as plain data, those that ship with tinynets, and how to read and check them."""
