"""DuckDB's columns as PostgreSQL takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from tessera.sql import name as quoted

# A text in PostgreSQL cannot hold NUL: the sign for what cannot be shown stands for it.
_NUL = "replace({}, chr(0), chr(65533))"
_PLAIN = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "SMALLINT": "smallint",
    "USMALLINT": "integer",
    "INTEGER": "integer",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
}
# Their text is what PostgreSQL reads.
_BY_TEXT = {
    "UBIGINT": "numeric",
    "HUGEINT": "numeric",
    "UHUGEINT": "numeric",
    "FLOAT": "real",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "UUID": "uuid",
    "INTERVAL": "interval",
}


@dataclass(frozen=True)
class Column:
    """A column's name and DuckDB type."""

    name: str
    duckdb_type: str

    @property
    def postgres_type(self) -> str:
        """Lists of plain values become arrays, structs and the like jsonb."""
        return _postgres_type(self.duckdb_type) or "jsonb"

    @property
    def as_csv(self) -> str:
        """The SQL expression, in DuckDB, whose CSV PostgreSQL's COPY reads as that type."""
        name = quoted(self.name)
        is_list = self.duckdb_type.endswith("]")
        if self.duckdb_type in _PLAIN or (self.duckdb_type.startswith("DECIMAL") and not is_list):
            return name
        if _postgres_type(self.duckdb_type) is None:
            return f"{_NUL.format(f'to_json({name})::varchar')} as {name}"
        if self.duckdb_type == "BLOB":
            return f"'\\x' || hex({name}) as {name}"
        if is_list:
            return f"{_array(name)} as {name}"
        return f"{_NUL.format(f'{name}::varchar')} as {name}"


def read_columns(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, list[Column]]:
    """The columns of every table of a schema, in their order, by table."""
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = ? "
        "and database_name = current_database() order by table_name, column_index",
        [schema],
    ).fetchall()
    tables: dict[str, list[Column]] = {}
    for table, name, data_type in rows:
        tables.setdefault(table, []).append(Column(name, data_type))
    return tables


def _postgres_type(duckdb_type: str) -> str | None:
    """None for what has no like."""
    item = re.fullmatch(r"(.+?)\[\d*\]", duckdb_type)
    if item:
        of = _postgres_type(item[1])
        return f"{of}[]" if of and of not in ("bytea",) and not of.endswith("]") else None
    if duckdb_type.startswith("DECIMAL"):
        return duckdb_type.replace("DECIMAL", "numeric")
    if duckdb_type == "VARCHAR" or duckdb_type.startswith("ENUM"):
        return "text"
    if duckdb_type == "BLOB":
        return "bytea"
    return _PLAIN.get(duckdb_type) or _BY_TEXT.get(duckdb_type)


def _array(name: str) -> str:
    r"""PostgreSQL's text of an array: `{"a","b\"c",NULL}`."""
    item = _NUL.format("item::varchar")
    escaped = f"replace(replace({item}, '\\', '\\\\'), '\"', '\\\"')"
    items = f"list_transform({name}, lambda item: coalesce('\"' || {escaped} || '\"', 'NULL'))"
    return f"'{{' || array_to_string({items}, ',') || '}}'"
