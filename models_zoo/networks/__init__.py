"""Trainable torch networks whose weights come from, and go back to, open files that nothing unpickles."""
