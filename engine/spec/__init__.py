"""Authoring: YAML text -> checked, positioned, merged documents."""
