"""What every app stands on: errors, content-addressed blobs, REST conventions. Knows no other app."""
