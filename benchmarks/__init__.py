"""Headline figures, one module each; `make bench` runs them and writes results.json."""
