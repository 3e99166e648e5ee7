"""Pages of the schedule, one module per subject."""
