"""What a page shows: figures, tables, the opening and closing of a chapter."""
