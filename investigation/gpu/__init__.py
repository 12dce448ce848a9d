"""What can be known of a GPU: predictions and measurements."""
