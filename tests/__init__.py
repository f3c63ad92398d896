"""A package by name, so that `tests` of a library that installs one (textstat does) is not found in its place."""
