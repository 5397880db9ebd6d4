"""The reference for authors, made from the registries and examples."""
