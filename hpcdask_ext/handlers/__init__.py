"""REST and the proxy: the only floor, beside the app, that knows HTTP."""
