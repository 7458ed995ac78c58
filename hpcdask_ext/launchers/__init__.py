"""How the jobs of a cluster are made, submitted, asked about and ended."""
