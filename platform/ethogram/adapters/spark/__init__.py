"""Spark, for what is too large for one machine; needs the `spark` extra and Java."""
