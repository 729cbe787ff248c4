"""The routes' functions: one module a resource. Imports every other room of the gateway."""
