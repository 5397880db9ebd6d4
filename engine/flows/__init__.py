"""WhatsApp Flows: what authors wrote becomes Flow JSON, and exchanges are run; no HTTP here."""
