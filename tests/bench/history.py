"""What firewatch has stored, asked of the database itself."""

from __future__ import annotations

import psycopg

_LAST_ORDINAL = "SELECT coalesce(max(ordinal), 0) FROM observation"
_ROWS = "SELECT count(*) FROM observation WHERE ordinal > %s AND sequence BETWEEN %s AND %s"
_DIFFERENT = "SELECT count(DISTINCT sequence) FROM observation WHERE ordinal > %s AND sequence BETWEEN %s AND %s"


class StoredReadings:
    """firewatch as a receiver of trials: a reading has arrived when its row can be read."""

    name = "firewatch run"

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._ordinal = 0

    def begin(self) -> None:
        """A trial is about to start."""
        self._ordinal = self._number(_LAST_ORDINAL)

    def arrived(self, first_sequence: int, last_sequence: int) -> int:
        """How many different readings of these sequence numbers are stored; told twice counts once."""
        rows = self._number(_ROWS, self._ordinal, first_sequence, last_sequence)
        if rows < last_sequence - first_sequence + 1:
            return rows
        return self._number(_DIFFERENT, self._ordinal, first_sequence, last_sequence)

    def _number(self, query: str, *arguments: int) -> int:
        row = self._connection.execute(query, arguments).fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
