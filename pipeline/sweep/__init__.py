"""A grid of settings, measured cell by cell, here or on a cluster."""
