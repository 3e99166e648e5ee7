"""Graph algorithms for lineage, without database access."""
