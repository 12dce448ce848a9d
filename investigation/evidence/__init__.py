"""What was observed: typed records, their files, and where they come from."""
