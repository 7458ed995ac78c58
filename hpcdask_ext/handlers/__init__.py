"""REST and the proxy: besides the app, the only layer that knows HTTP."""
