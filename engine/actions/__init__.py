"""The actions a chart may call, one noun per file."""
