"""Sites as administrators describe them, and what users may request from them."""
