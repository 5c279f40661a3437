"""Brings a database to this version's tables, step by step, with Alembic. Steps are in `versions/`, never edited once
released. All missing steps are one transaction; foreign keys rest meanwhile and are checked before the commit.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from data.errors import DatabaseUnusableError

FOLDER = Path(__file__).parent

_alembic = threading.Lock()
"""What a step works on is global in Alembic: two threads that open two databases would write into each other's."""


def upgrade(engine: Engine, before: Callable[[str], object]) -> None:
    """Apply the missing steps. Of two processes that start together, the second finds nothing left to do.

    *before* is called with the version that an older database has, before it is changed; nobody else can write then.

    Raises:
        DatabaseUnusableError: the database was written by a newer version, or a step would break references.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    # PRAGMA foreign_keys does nothing inside a transaction, and ON would let a rebuilt parent table drop its children.
    outside_transaction(engine, "PRAGMA foreign_keys = OFF")
    try:
        with _alembic, engine.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current == scripts.get_current_head():
                return
            if current is not None:
                if current not in {script.revision for script in scripts.walk_revisions()}:
                    raise DatabaseUnusableError(
                        f"the database is of version {current}, which this program does not know: start the newer "
                        "program, or restore a backup from before the upgrade"
                    )
                before(current)
            _apply(config, connection)
    finally:
        outside_transaction(engine, "PRAGMA foreign_keys = ON")


def head() -> str:
    """Return the version that this program works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def _apply(config: Config, connection: Connection) -> None:
    config.attributes["connection"] = connection  # read by env.py
    command.upgrade(config, "head")
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise DatabaseUnusableError(f"the upgrade would leave rows without their parent: {tuple(broken)}")


def outside_transaction(engine: Engine, statement: str, *values: object) -> None:
    """Run what SQLite ignores or refuses inside a transaction, on a connection of *engine*."""
    pooled: Any = engine.raw_connection()
    try:
        pooled.cursor().execute(statement, values)
    finally:
        pooled.close()
