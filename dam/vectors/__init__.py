"""Nearest vectors in a space. SQL holds the vectors; what lies here is a cache of it."""
