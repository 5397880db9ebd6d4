"""Makes Meta's catalogues what the tenants sell; sends no messages and takes no webhooks."""
