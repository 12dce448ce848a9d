"""Which of two is slower: compare, statistics, noise, fresh processes."""
