"""The loop's jobs: the round itself, training and evaluation."""
