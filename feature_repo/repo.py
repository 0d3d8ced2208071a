"""Hands the signals that `ethogram apply` applied to plain `feast apply`; refuses when the working tree differs."""

from ethogram.wiring import feast_objects

globals().update(feast_objects(__file__))
