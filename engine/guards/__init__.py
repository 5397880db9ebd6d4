"""The guards a chart may ask, one noun per file."""
