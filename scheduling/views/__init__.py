"""The pages of the schedule, a file for each noun."""
