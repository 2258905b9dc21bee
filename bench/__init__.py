"""Measures our turns against a bare chain of as many calls and Redis trips: `python -m bench`."""
