"""The statistics of a comparison: plain numbers in, frozen values with their uncertainty and its method out."""
