"""Stands in for the recorder of the first versions."""
