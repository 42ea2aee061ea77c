"""Numerics: arrays and numbers, without networks."""
