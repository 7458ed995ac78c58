"""What is tracked: records, their store, credentials, and how a scheduler is asked."""
