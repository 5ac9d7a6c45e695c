"""Faults that the suite must catch: put into a copy of the tree, each must make its tests fail."""
