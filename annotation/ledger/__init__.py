"""What people said, for ever: entries, their replay, and the constraints and labels that follow. Knows no Django."""
