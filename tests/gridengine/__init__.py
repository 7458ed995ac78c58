"""Clusters on a real Grid Engine."""
