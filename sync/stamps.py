"""Hybrid logical clocks."""
