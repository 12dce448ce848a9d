"""From notebooks to evidence: execute what is out of date, then put it into place."""
