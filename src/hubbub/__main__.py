"""Let `python -m hubbub` do what the `hubbub` command does."""

from hubbub.cli.main import main


main(prog_name="hubbub")
