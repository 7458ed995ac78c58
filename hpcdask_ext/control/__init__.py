"""Launching, scaling, stopping clusters, and keeping their records true."""
