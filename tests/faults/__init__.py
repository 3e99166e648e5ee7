"""Fault tests: real processes, killed. `make faults` runs their full counts."""
