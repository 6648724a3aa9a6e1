"""The way through, one readable line a stage."""
