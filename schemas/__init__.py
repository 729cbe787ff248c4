"""Shapes that cross a boundary: events, tables, HTTP bodies, settings. Imports no other room and does no I/O."""
