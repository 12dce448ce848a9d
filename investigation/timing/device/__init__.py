"""The same on a device that has a queue and a clock of its own."""
