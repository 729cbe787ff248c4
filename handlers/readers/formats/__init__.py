"""One module a format: `read_<name>` of `<name>.py`, here or in `office/`, reads what `FORMATS` calls `<name>`."""
