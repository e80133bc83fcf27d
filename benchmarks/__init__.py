"""One runnable file per question; each prints one JSON object per result line."""
