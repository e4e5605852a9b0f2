"""The example bot's training data, and the one pipeline component that reads it."""
