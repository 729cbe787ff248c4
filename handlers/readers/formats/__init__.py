"""One module a format: `read_<name>` of `handlers/readers/formats/<name>.py` reads what `FORMATS` calls `<name>`."""
