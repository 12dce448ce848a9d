"""Which of two is slower: compare, the line in place, statistics, noise, fresh processes."""
