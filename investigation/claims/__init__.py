"""The ledger: what people wrote about the line, and the rules that decide it."""
