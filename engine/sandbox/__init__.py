"""The sandbox: a stand-in for Meta's Graph API for development and tests."""
