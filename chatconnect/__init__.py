"""The command line, one small module per command. Imports every other room."""
