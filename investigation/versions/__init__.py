"""All that needs no clock, observed under whichever torch is installed."""
