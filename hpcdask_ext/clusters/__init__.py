"""What is tracked: records, their store, credentials, reports, and the client for schedulers."""
