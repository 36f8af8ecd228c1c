"""Statistics of norms, computed and stored.

frozen_norm  norms with stored statistics
moments      mean and variance of maps of any size
"""
