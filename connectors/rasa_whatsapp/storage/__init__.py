"""What is kept: SQL by noun, each function one step inside the caller's transaction; `Database` runs them off the event loop."""
