"""Launching, scaling and stopping clusters, and keeping their records up to date."""
