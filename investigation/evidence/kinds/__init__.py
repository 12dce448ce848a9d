"""One type for each kind of observation."""
