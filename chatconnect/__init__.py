"""The command line, one small module a command. Imports every other room."""
