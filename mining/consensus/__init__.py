"""What several people's answers to the same questions say together: agreement, each one's errors, weighed votes."""
