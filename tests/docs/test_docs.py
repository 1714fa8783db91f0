"""The documents are complete and their links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hubbub import errors
from hubbub.cli.main import COMMANDS, root
from hubbub.config import LISTENERS
from hubbub.dialects.rpc import (
    agents,
    chat,
    issues,
    locks,
    reservations,
    room,
    runs,
    system,
    tokens,
    topics,
    turns,
)
from hubbub.dialects.scopes import HUBBUB
from hubbub.errors import ConfigError, HubbubError, StartError
from hubbub.prove.checker.violations import KINDS
from hubbub.prove.report import markdown, summary
from hubbub.prove.schedule import LENGTHS
from hubbub.provenance import keys
from scripts import write_proof
from scripts.write_settings import PAGE, page


ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
GROUPS = (agents, chat, issues, locks, reservations, room, runs, system, tokens, topics, turns)


def text_of(name: str) -> str:
    """Give the text of one page."""
    return (DOCS / name).read_text(encoding="utf-8")


def test_settings_page_is_what_the_code_says() -> None:
    """`python -m scripts.write_settings` brings the page up to date."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_setting_is_on_the_settings_page() -> None:
    """Each key stands in the table of its section."""
    sections = re.split(r"^## ", text_of("settings.md"), flags=re.MULTILINE)
    tables = {part.split("\n", 1)[0].strip("`[]"): part for part in sections}
    for key, _ in keys():
        section = ".".join(key[:-1]) or "Top level"
        assert f"| `{key[-1]}` |" in tables[section]


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Give every command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize(("words", "command"), list(commands(root, "hubbub")))
def test_every_command_and_option_is_on_the_commands_page(
    words: str, command: click.Command
) -> None:
    """A reader finds each command, and each option that it does not share with all."""
    shown = text_of("commands.md")
    assert words in shown or f"`{words.rsplit(maxsplit=1)[-1]}`" in shown
    if words == "hubbub x0xd":
        return  # its options are x0xd's own
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.opts[-1] in shown


def test_every_command_exists() -> None:
    """The table of commands names nothing that cannot be imported."""
    context = click.Context(root)
    assert root.list_commands(context) == list(COMMANDS)
    assert all(root.get_command(context, name) for name in COMMANDS)


def test_exit_codes_in_readme_and_commands_page_are_the_same() -> None:
    """Both tables have the codes 0 to 3."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for shown in (readme, text_of("commands.md")):
        assert re.findall(r"^\| (\d) \|", shown, flags=re.MULTILINE) == ["0", "1", "2", "3"]


def test_every_method_is_on_the_page_of_hubbubs_door() -> None:
    """Name, scope and summary, as the method table has them."""
    shown = text_of("doors/hubbub.md")
    for group in GROUPS:
        for method in group.METHODS:
            scope = HUBBUB[method.name] or "none"
            row = f"| `{method.name}` | {scope} | {method.summary.rstrip('.')} |"
            assert row in shown


def tree(error: type[HubbubError]) -> Iterator[type[HubbubError]]:
    """Walk a class and everything below it."""
    yield error
    for below in error.__subclasses__():
        yield from tree(below)


def test_every_error_code_is_on_the_page_of_hubbubs_door() -> None:
    """A program can look up whatever code it gets, with its status."""
    shown = text_of("doors/hubbub.md")
    unseen = {HubbubError, StartError, ConfigError}
    for error in set(tree(HubbubError)) - unseen:
        if error.__module__ in (errors.__name__, "hubbub.dialects.rpc.frames"):
            assert f"| `{error.code}` | {error.http_status} |" in shown


def test_proof_page_is_what_its_figures_say() -> None:
    """`python -m scripts.write_proof` brings both over from the folder of a proof."""
    assert write_proof.PAGE.read_text("utf-8") == markdown(write_proof.figures())


def test_proof_in_readme_is_the_one_that_was_run() -> None:
    """Not a digit of the table is anybody's word."""
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = readme.partition(write_proof.BEGIN)[2].partition(write_proof.END)[0]
    assert shown.strip() == summary(write_proof.figures())
    assert shown.strip() in write_proof.PAGE.read_text("utf-8")


def test_every_fault_and_violation_is_on_the_commands_page() -> None:
    """Who reads a report can look up what its words mean."""
    shown = text_of("commands.md")
    for fault in LENGTHS:
        assert f"| `{fault}` |" in shown
    for kind in KINDS:
        assert f"| {kind} |" in shown


def test_every_door_has_its_page() -> None:
    """One page per listener, linked from the index."""
    index = text_of("index.md")
    for name in LISTENERS:
        assert (DOCS / "doors" / f"{name}.md").exists()
        assert f"(doors/{name}.md)" in index


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file, and a heading where it names one."""
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (path.parent / name) if name else path
        assert file.exists(), f"{path.name} links to {target}"
        if heading:
            assert heading in headings(file)


def headings(file: Path) -> set[str]:
    """Give the anchors of a page, as the usual renderers make them."""
    lines = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-") for line in lines}
