"""Recipes, and what reads them."""
