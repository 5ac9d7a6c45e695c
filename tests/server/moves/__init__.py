"""Hamlets that merge and split, households that move: told over the whole server, without HTTP."""
