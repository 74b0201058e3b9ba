"""A client of the NICOS daemon that records what it is told."""
