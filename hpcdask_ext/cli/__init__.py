"""`jupyter hpcdask ...`: what can be done without a browser. It needs no server, and works on the same records."""
