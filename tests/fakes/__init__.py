"""Fake batch systems whose jobs really run: see `engine.py` for how they work, and how to write one."""
