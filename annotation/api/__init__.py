"""REST of annotation, one noun per file."""
