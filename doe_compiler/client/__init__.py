"""The platform's API as typed calls: the only room that opens a connection."""
