"""What is observed, a module a part; each lists its observations by name, as `OBSERVATIONS`."""
