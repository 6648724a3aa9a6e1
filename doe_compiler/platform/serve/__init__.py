"""What serves: HTTP, connections, and the weather of a cloud on a bad day."""
