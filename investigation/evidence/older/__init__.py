"""Evidence of older schemas, and what it stood for."""
