"""`python -m chatconnect`."""

from chatconnect.cli import main

main()
