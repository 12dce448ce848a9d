"""Released packages: surveyed for the line, and a patch for each that holds it."""
