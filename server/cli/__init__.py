"""The commands, one file per family. Each file has `register(app)`, which adds its commands to `camket`;
files with an underscore are what they share.

Modules here import what they need inside their commands: `camket --help` must be quick.
"""
