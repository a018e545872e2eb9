"""Proposes plans; never judges them."""
