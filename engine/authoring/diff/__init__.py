"""What an edit changes for customers, told as messages and ways."""
