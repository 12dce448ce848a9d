"""What keeps the project in order: installing, auditing, the form of its notebooks."""
