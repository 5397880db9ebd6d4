"""What an author is told of the YAML: what is wrong, what an edit changes, what is untried."""
