"""A chart or Flow as a picture."""
