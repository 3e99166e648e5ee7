"""Reads about incidents, a file for each noun."""

from incidents.queries.chains import ChainLink, chain_of
from incidents.queries.incidents import all_incidents, latest_of, open_counts, open_incidents, running, runs_of

__all__ = [
    "ChainLink",
    "all_incidents",
    "chain_of",
    "latest_of",
    "open_counts",
    "open_incidents",
    "running",
    "runs_of",
]
