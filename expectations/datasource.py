"""Great Expectations on DuckDB, pushed down as SQL.

The SQL datasource that ships with Great Expectations 1.24 breaks on DuckDB in three places;
this one mends each at the method that is meant to be overridden, so nothing is patched globally:

- one failed statement aborts DuckDB's transaction, and each later metric fails with it: one
  connection is kept, and rolled back after an error;
- duckdb-engine reflects through pg_catalog tables that DuckDB does not have: DESCRIBE instead;
- regular expressions and LIKE are refused for unknown dialects: see `DuckDBExecutionEngine`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, TypeAlias

import sqlalchemy as sa
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource, TableAsset
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine, UserDefinedType

WHOLE_TABLE = "whole_table"
EngineClass: TypeAlias = type[SqlAlchemyExecutionEngine]


class ReportedType(UserDefinedType[Any]):
    """A column type that is only shown, under the name DuckDB gives it."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        """Keep DuckDB's own name, for example ``STRUCT(a INTEGER)``."""
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Return DuckDB's name of the type."""
        return self.name


def column_type(duckdb_type: str) -> TypeEngine[Any]:
    """Return the SQLAlchemy type of a DuckDB type name.

    >>> column_type("DECIMAL(18,4)"), column_type("TIMESTAMP WITH TIME ZONE").name
    (DECIMAL(), 'TIMESTAMP WITH TIME ZONE')
    """
    known = getattr(sa.types, duckdb_type.split("(", maxsplit=1)[0].strip().upper(), None)
    if isinstance(known, type) and issubclass(known, TypeEngine):
        return known()
    return ReportedType(duckdb_type)


def quoted(*parts: str) -> str:
    """Return a quoted identifier: ``quoted("raw", "orders")`` is ``"raw"."orders"``."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


class DescribeInspector:
    """The part of SQLAlchemy's Inspector that Great Expectations reads, answered by DESCRIBE."""

    def __init__(self, engine: SqlAlchemyExecutionEngine) -> None:
        """Read through the engine's own connection: DuckDB allows one configuration a process."""
        self._engine = engine
        self.dialect = engine.engine.dialect

    def get_columns(
        self, table_name: str, schema: str | None = None, **_: Any
    ) -> list[dict[str, Any]]:
        """Return one dictionary per column: name, type, nullable, default."""
        table = quoted(*(part for part in (schema, str(table_name)) if part))
        with self._engine.get_connection() as connection:
            rows = connection.execute(sa.text(f"DESCRIBE {table}")).fetchall()
        return [
            {
                "name": row[0],
                "type": column_type(str(row[1])),
                "nullable": row[2] == "YES",
                "default": row[4],
            }
            for row in rows
        ]

    def get_pk_constraint(self, *_: Any, **__: Any) -> dict[str, list[str]]:
        """Return no primary key: keys are checked by expectations, not declared."""
        return {"constrained_columns": []}


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """The SQLAlchemy engine of Great Expectations with one connection, kept and recovered."""

    _connection: sa.Connection | None
    _inspector: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Open nothing yet; the connection is made at the first statement."""
        super().__init__(*args, **kwargs)
        # SQL for patterns is chosen by looking at this object. The branch for Dremio emits
        # REGEXP_MATCHES(column, pattern), which is DuckDB's own partial match; the one for
        # PostgreSQL emits `~`, which in DuckDB must match the whole value.
        self.dialect_module = SimpleNamespace(DremioDialect=True)

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        """Yield the one connection; roll back when the statement fails."""
        if self._connection is None:
            self._connection = self.engine.connect()
        try:
            yield self._connection
        except Exception:
            self._connection.rollback()
            raise

    def get_inspector(self) -> Any:
        """Return the inspector that reflects by DESCRIBE."""
        if not isinstance(self._inspector, DescribeInspector):
            self._inspector = DescribeInspector(self)
        return self._inspector

    def close(self) -> None:
        """Close the connection and let go of the file; closing twice is harmless."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        super().close()


class DuckDBDatasource(SQLDatasource):
    """One schema of a DuckDB file, opened read-only and not pooled, so that closing releases it."""

    type: Literal["duckdb"] = "duckdb"
    schema_name: str

    _EXTRA_EXCLUDED_EXEC_ENG_ARGS: ClassVar[set[str]] = {"schema_name"}

    @property
    def schema_(self) -> str | None:
        """Return the schema that the table assets of this datasource live in."""
        return self.schema_name

    @property
    def execution_engine_type(self) -> EngineClass:
        """Return the engine that knows DuckDB."""
        return DuckDBExecutionEngine

    def table_names(self) -> set[str]:
        """Return the names of the schema's tables and views."""
        named = sa.text("SELECT table_name FROM information_schema.tables WHERE table_schema = :s")
        rows = self.get_execution_engine().execute_query(named.bindparams(s=self.schema_name))
        return {row[0] for row in rows.fetchall()}


def schema_of(
    warehouse: Path, schema: str, tables: Mapping[str, str] | None = None
) -> DuckDBDatasource:
    """Return the datasource for one schema of a warehouse file; nothing is opened yet.

    `tables`: asset name to table name. Given at once, because Great Expectations writes its whole
    configuration anew, and opens the file, for each asset that is added later.
    """
    return DuckDBDatasource(
        name=schema,
        schema_name=schema,
        connection_string=f"duckdb:///{warehouse}",
        kwargs={"connect_args": {"read_only": True}, "poolclass": NullPool},
        assets=[
            TableAsset(
                name=name, table_name=table, batch_definitions=[BatchDefinition(name=WHOLE_TABLE)]
            )
            for name, table in (tables or {}).items()
        ],
    )
