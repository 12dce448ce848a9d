"""The ledger: what was said of the line, and the rules that decide it."""
