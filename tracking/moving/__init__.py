"""Stores brought from one place to another: out of MLflow, out of Gatelog into files, and back."""
