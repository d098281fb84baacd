"""``python -m lkgate``."""

from lkgate.cli.main import main

main()
