"""The laws: a module each, which holds a frozen dataclass of its parameters and its record."""
