"""Named queries and migrations."""

import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from hubbub.storage import sql
from hubbub.storage.sql import load_queries, migrate


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that stands in for the package's own SQL."""
    (tmp_path / "queries").mkdir()
    for number in (1, 2):
        (tmp_path / "migrations" / f"000{number}").mkdir(parents=True)
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    return tmp_path


def test_queries_are_found_by_name(package: Path) -> None:
    """A block reaches from its name to the next; comments stay, the semicolon goes."""
    (package / "queries" / "a.sql").write_text("-- name: one\nSELECT 1;\n\n-- name: two\nSELECT 2;")

    assert load_queries() == {"one": "SELECT 1", "two": "SELECT 2"}


def test_two_queries_of_one_name_are_an_error(package: Path) -> None:
    """A name stands for one query."""
    for file in ("a.sql", "b.sql"):
        (package / "queries" / file).write_text("-- name: one\nSELECT 1;")

    with pytest.raises(ValueError, match="one is defined twice"):
        load_queries()


def test_older_store_is_backed_up_then_migrated(package: Path, tmp_path: Path) -> None:
    """The copy has the old schema, the store the new one; a second run does nothing."""
    (package / "migrations" / "0001" / "a.sql").write_text("CREATE TABLE old (x);")
    (package / "migrations" / "0002" / "a.sql").write_text("CREATE TABLE new (x);")
    (package / "migrations" / "notes").mkdir()
    path = tmp_path / "store.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("CREATE TABLE old (x); INSERT INTO old VALUES (7); PRAGMA user_version = 1;")

    migrate(db, backup_to=path)
    migrate(db, backup_to=path)

    assert db.execute("SELECT count(*) FROM new").fetchone() == (0,)
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    copy = sqlite3.connect(tmp_path / "store.db.v1.bak")
    assert copy.execute("SELECT x FROM old").fetchone() == (7,)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        copy.execute("SELECT * FROM new")
    copy.close()
    db.close()


def test_every_query_of_the_package_compiles(tmp_path: Path) -> None:
    """Each named query fits the schema that the migrations make."""
    db = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    migrate(db, backup_to=None)

    for name, text in load_queries().items():
        parameters = dict.fromkeys(sql.parameters(text))
        assert db.execute(f"EXPLAIN {text}", parameters) is not None, name
    db.close()


def test_failing_migration_leaves_the_store_as_it_was(package: Path, tmp_path: Path) -> None:
    """A step is whole or not there: the version does not move either."""
    (package / "migrations" / "0001" / "a.sql").write_text("CREATE TABLE a (x); SELECT nothing;")
    db = sqlite3.connect(tmp_path / "store.db", isolation_level=None)

    with pytest.raises(sqlite3.OperationalError):
        migrate(db, backup_to=None)

    assert db.execute("PRAGMA user_version").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    db.close()
