"""The application: who may call what, and the life of one call."""

__version__ = "0.1.0"
