"""Filters."""

DECK_FILTERS: dict[str, object] = {}
