"""``python -m glassdata``."""

from glassdata.cli import main

main()
