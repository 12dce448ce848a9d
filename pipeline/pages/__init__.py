"""From evidence to pages: judge, answer, fill in, render, pack."""
