"""What a person types: the commands, their variables, and what the smaller of them do."""
