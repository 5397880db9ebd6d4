"""Meta's validator of Flow JSON."""
