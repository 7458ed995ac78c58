"""Whole lives of clusters on every batch system: the machine itself, and fakes whose jobs really run."""
