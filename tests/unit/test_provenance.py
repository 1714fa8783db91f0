"""Settings: the order of their sources, and what is said of those that cannot be."""

from pathlib import Path
from typing import Any

import pytest

from hubbub.config import Settings
from hubbub.core.values import is_loopback
from hubbub.errors import ConfigError
from hubbub.provenance import Loaded, keys, lines_of, load


class Sources:
    """The three places where settings stand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"HUBBUB_DATA_DIR": str(folder), "PATH": "/bin"}
        self.flags: dict[str, Any] = {}

    def write(self, text: str, name: str = "config.toml") -> Path:
        """Write a file of settings."""
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        return file

    def load(self, config: Path | None = None) -> Loaded:
        """Put the settings together."""
        return load(flags=self.flags, environ=self.environ, config=config)

    def refused(self, config: Path | None = None) -> str:
        """Give the text with which they are refused."""
        with pytest.raises(ConfigError) as refusal:
            self.load(config)
        return str(refusal.value)


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Give sources in which only the data directory is set."""
    return Sources(tmp_path)


def test_without_anything_everything_has_its_default(sources: Sources) -> None:
    """An empty environment and no file give the defaults, in the named directory."""
    loaded = sources.load()

    assert loaded.settings == Settings(data_dir=sources.folder)
    assert loaded.origins == {"data_dir": "variable HUBBUB_DATA_DIR"}


def test_flag_beats_variable_beats_file_beats_default(sources: Sources) -> None:
    """The origin says which of them it was."""
    file = sources.write('[listen]\nx0x = "127.0.0.1:1"\ncar = "127.0.0.1:1"\nhubbub = ""\n')
    sources.environ |= {
        "HUBBUB_LISTEN__X0X": "127.0.0.1:2",
        "HUBBUB_LISTEN__CAR": "127.0.0.1:2",
    }
    sources.flags = {"listen.x0x": "127.0.0.1:3"}

    loaded = sources.load()

    listen = loaded.settings.listen
    assert (listen.x0x, listen.car, listen.hubbub) == ("127.0.0.1:3", "127.0.0.1:2", "")
    assert listen.crosslink == "127.0.0.1:3100"
    assert loaded.origins["listen.x0x"] == "flag --listen x0x="
    assert loaded.origins["listen.car"] == "variable HUBBUB_LISTEN__CAR"
    assert loaded.origins["listen.hubbub"] == str(file)


def test_address_that_was_asked_for_is_explicit(sources: Sources) -> None:
    """Wherever it was asked for; a default address is not."""
    sources.write('[listen]\ncar = "127.0.0.1:1"\n')
    sources.flags = {"listen.x0x": "127.0.0.1:3"}

    assert sources.load().settings.explicit == {"car", "x0x"}


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("STORE__READERS", "3", "store.readers", 3),
        ("STORE__BATCH_MS", "0.5", "store.batch_ms", 0.5),
        ("LOG__JSON", "true", "log.json", True),
        ("LOG__JSON", "yes", "log.json", True),
        ("LOG__JSON", "0", "log.json", False),
        ("LISTEN__ONLY", "x0x, car", "listen.only", ["x0x", "car"]),
        ("LISTEN__ONLY", '["x0x"]', "listen.only", ["x0x"]),
        ("LISTEN__HOSTS", "", "listen.hosts", []),
        ("CRASH_AT", "7", "crash_at", "7"),
        ("AGENTS__BO__MODEL", "m", "agents.bo.model", "m"),
        ("AGENTS__BO__COMMAND", '["a", "b c"]', "agents.bo.command", ("a", "b c")),
    ],
)
def test_variable_is_read_as_its_type(
    sources: Sources, variable: str, text: str, key: str, value: object
) -> None:
    """Numbers, truth values and lists come as text and leave as what they are."""
    sources.environ[f"HUBBUB_{variable}"] = text

    found: Any = sources.load().settings
    for part in key.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)

    assert found == value
    assert type(found) is type(value)


def test_variables_of_others_are_left_alone(sources: Sources) -> None:
    """Only HUBBUB_ is ours, and of that not what the test suite uses."""
    sources.environ |= {"HOME": "/", "MY_HUBBUB_X": "1", "HUBBUB_TEST_PATIENCE": "3"}

    assert sources.load().origins == {"data_dir": "variable HUBBUB_DATA_DIR"}


def test_named_file_is_read_instead_of_the_one_in_the_data_directory(sources: Sources) -> None:
    """`--config` beats `HUBBUB_CONFIG` beats the usual place."""
    sources.write("ephemeral = true")
    by_variable = sources.write("[store]\nreaders = 5", "variable.toml")
    by_flag = sources.write("[store]\nreaders = 6", "flag.toml")

    sources.environ["HUBBUB_CONFIG"] = str(by_variable)
    assert sources.load().settings.store.readers == 5
    loaded = sources.load(by_flag).settings

    assert (loaded.store.readers, loaded.ephemeral) == (6, False)


def test_table_of_an_agent_may_be_empty(sources: Sources) -> None:
    """Its name alone makes an agent with all its defaults."""
    sources.write("[agents.bo]\n[agents.ann]\noptions = {temperature = 0.2}\n")

    agents = sources.load().settings.agents

    assert list(agents) == ["ann", "bo"]
    assert agents["ann"].options == {"temperature": 0.2}


def test_topics_with_dots_and_slashes_have_their_retention(sources: Sources) -> None:
    """A quoted name in the file is one name."""
    sources.write('[store.topics."a.b/*"]\nretention_days = 1\n')

    rules = sources.load().settings.store.rules()

    assert [rule.pattern for rule in rules] == ["*", "a.b/*"]
    assert rules[1].keep_ms == 24 * 3600 * 1000
    assert rules[1].keep_bytes == 1024**3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agents.main]\nrunnr = 1", "'agents.main.runnr'; the nearest is 'agents.main.runner'"),
        ("[dialect.car]\nx = 1", "no setting 'dialect'; the nearest is 'dialects'"),
        ("[store]\nreader = 1", "no setting 'store.reader'; the nearest is 'store.readers'"),
        ("listen = 3", "'listen' is a table; write [listen]"),
        ("[store]\nreaders = 1.5", "store.readers = 1.5 must be a whole number, 0 or more"),
        ("[store]\nreaders = -1", "store.readers = -1 must be a whole number, 0 or more"),
        ("[store]\nreaders = 0", "[store] readers = 0 must be more than 0"),
        ("[store]\nbatch_ms = true", "store.batch_ms = true must be a number, 0 or more"),
        ("[store.readers]\na = 1", 'store.readers = {"a":1} must be a whole number, 0 or more'),
        ("ephemeral = 1", "ephemeral = 1 must be true or false"),
        ("crash_at = 1", "crash_at = 1 must be a text"),
        ("[agents.a]\ncommand = 'x'", 'agents.a.command = "x" must be a list of texts'),
        ("[agents.a]\noptions = 'x'", 'agents.a.options = "x" must be a table'),
        ("[agents.a]\nrunner = 'x'", "must be one of 'echo', 'command', 'openai', 'attached'"),
        ("[agents.a]\nrunner = 'command'", "[agents.a] runner = 'command' needs command"),
        ("[agents.a]\nrunner = 'openai'", "[agents.a] runner = 'openai' needs base_url"),
        ("[listen]\nx0x = '12700'", "x0x = '12700' must be HOST:PORT, as 127.0.0.1:0"),
        ("[listen]\nx0x = '127.0.0.1:65536'", "must be HOST:PORT"),
        ("[listen]\nonly = ['xox']", "there is no listener 'xox'; there are hubbub, x0x,"),
        ("[log]\nlevel = 'loud'", "level = 'loud' must be debug, info, warning or error"),
        ("[store.topics.'chat/*']", "only topics that clients publish on have a retention"),
        ("[store.topics.runs]", "only topics that clients publish on have a retention"),
        ("data_dir = 'x'", "data_dir is given by --data-dir or HUBBUB_DATA_DIR, not in a file"),
        ("a =", "is not TOML"),
        ("a = '\\u0000\xff", "is not TOML"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_right(
    sources: Sources, text: str, said: str
) -> None:
    """Key, value and the way out, and the file in which it stands."""
    file = sources.write(text)

    refusal = sources.refused()

    assert said in refusal
    assert str(file) in refusal


def test_unknown_variable_is_refused_by_its_name(sources: Sources) -> None:
    """A typo in a variable must not pass silently."""
    sources.environ["HUBBUB_LISTEN__XOX"] = "127.0.0.1:0"

    assert sources.refused() == (
        "variable HUBBUB_LISTEN__XOX: there is no setting 'listen.xox'; the nearest is 'listen.x0x'"
    )


def test_list_that_is_no_json_is_refused(sources: Sources) -> None:
    """What begins like JSON must be JSON."""
    sources.environ["HUBBUB_LISTEN__ONLY"] = "[x0x"

    assert "must be a list of texts" in sources.refused()


def test_file_that_was_asked_for_must_be_there(sources: Sources) -> None:
    """A wrong path in `--config` is no reason to go on with defaults."""
    refusal = sources.refused(sources.folder / "none.toml")

    assert refusal == f"cannot read {sources.folder / 'none.toml'}: No such file or directory"


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "example.org:1"])
def test_address_that_others_can_reach_needs_the_flag(sources: Sources, address: str) -> None:
    """The text names the flag; with it the address is taken."""
    sources.flags = {"listen.x0x": address}
    assert "allow it with --insecure-listen" in sources.refused()

    sources.flags["listen.insecure"] = True
    assert sources.load().settings.listen.x0x == address


def test_address_of_a_listener_that_is_not_opened_is_not_judged(sources: Sources) -> None:
    """`--only` leaves the others alone, and keeps hubbub's own."""
    sources.flags = {"listen.x0x": "0.0.0.0:1", "listen.only": ["car"]}

    listen = sources.load().settings.listen

    assert listen.address("x0x") is None
    assert listen.address("car") == ("127.0.0.1", 9100)
    assert listen.address("hubbub") == ("127.0.0.1", 7070)


def test_address_in_brackets_is_ipv6(sources: Sources) -> None:
    """Brackets are notation, not part of the host."""
    sources.flags = {"listen.x0x": "[::1]:0"}

    assert sources.load().settings.listen.address("x0x") == ("::1", 0)


def test_loopback_is_known_by_name_and_number() -> None:
    """Names other than localhost may lead anywhere."""
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("10.0.0.1", "0.0.0.0", "localhost.example.org")))  # noqa: S104


def test_every_section_says_what_its_settings_mean() -> None:
    """Each key is reachable by a variable that names it."""
    for key, _ in keys():
        assert all(part == part.lower() or part == "NAME" for part in key)


def test_settings_of_a_file_are_found_with_their_lines(tmp_path: Path) -> None:
    """Whatever the quotes, dots, tables and line breaks are; comments do not count."""
    file = tmp_path / "config.toml"
    file.write_text(
        "# first\n"
        "demo = false\r\n"
        "\n"
        "[store]\n"
        "readers = 4  # four\n"
        'topics."a b".retention_days = 3\n'
        "# a comment,\n"
        "  # and another\n"
        "[listen]\n"
        "only = [\n"
        '  "car",  # ]\n'
        "]\n"
        "[dialects]\n"
        "car = { grace_ms = 3 }\n"
        "[agents.main]\n"
        'runner = "command"\n'
        'command = ["x", """\n'
        "[store]\n"
        '"""]\n'
    )

    assert lines_of(file) == {
        "demo": 2,
        "store": 4,
        "store.readers": 5,
        "store.topics.a b.retention_days": 6,
        "listen": 9,
        "listen.only": 10,
        "dialects": 13,
        "dialects.car.grace_ms": 14,
        "agents.main": 15,
        "agents.main.runner": 16,
        "agents.main.command": 17,
    }
    loaded = load(flags={"demo": True}, environ={"HUBBUB_STORE__READERS": "3"}, config=file)
    assert loaded.places()["listen.only"] == f"{file}:10"
    assert loaded.places()["demo"] == "flag --demo"
    assert loaded.places()["store.readers"] == "variable HUBBUB_STORE__READERS"
