"""From notebooks to evidence: what is out of date is executed, and put into place when whole."""
