"""How the jobs of a cluster are created, submitted, queried and ended."""
