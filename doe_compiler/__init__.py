"""doe compiles a study written in YAML into simulation runs that happen exactly once."""

__version__ = "0.1.0"
