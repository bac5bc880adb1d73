"""`python -m signsvc` is the console script."""

from signsvc.cli import main

main()
