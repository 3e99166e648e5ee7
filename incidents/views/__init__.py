"""The pages of incidents, a file for each noun."""
