"""SQL dumps of four tools, and ones that are broken."""

from __future__ import annotations

import pytest

from posthouse.services.administration.importing import sql_text
from posthouse.services.administration.importing.source import Unreadable, file_of
from posthouse.services.administration.importing.sql_dump import read_dump


def rows(text, *tables):
    raw = text if isinstance(text, bytes) else text.encode()
    return [(row.table, row.cells) for row in read_dump(file_of("d.sql", raw), "utf-8", tables or ("t",))]


MYSQL = """-- MySQL dump 10.13  Distrib 8.0.31
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `t`;
CREATE TABLE `t` (
  `a` int(11) NOT NULL AUTO_INCREMENT,
  `b` varchar(255) DEFAULT 'x,(y',
  `c` decimal(10,2),
  PRIMARY KEY (`a`), UNIQUE KEY `k` (`b`)
) ENGINE=InnoDB;
INSERT INTO `other` VALUES (1,'; INSERT INTO `t` VALUES (9)'),(2,'it\\'s');
INSERT INTO `t` VALUES (1,'it\\'s \\\\ a\\nb',NULL),(2,'O''Hara',-1.5),(3,_binary 'x',0x414243);
-- Dump completed on 2026-01-01
"""
POSTGRES = """--
-- PostgreSQL database dump
--
CREATE FUNCTION f() RETURNS text AS $body$ SELECT 'x;'; $body$ LANGUAGE sql;
CREATE TABLE public.t (
    a integer NOT NULL,
    b character varying(255) DEFAULT ''::character varying,
    c text
);
COPY public.other (z) FROM stdin;
INSERT INTO t VALUES (9);
\\.
COPY public.t (a, b, c) FROM stdin;
1\tone\\ttab\\\\\t\\N
2\t\tx
\\.
INSERT INTO public.t (a, b, c) VALUES (3, 'back\\slash', E'new\\nline'), (4, 'cast'::text, true);
-- PostgreSQL database dump complete
--
"""
SQLITE = """PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE t (a INTEGER PRIMARY KEY, "b" text, [c] text);
INSERT INTO t VALUES(1,replace('two\\nlines','\\n',char(10)),X'4142');
INSERT INTO "t" VALUES(2,unistr('\\u00e9t\\u00e9'),NULL);
COMMIT;
"""
DUMPS = [
    pytest.param(
        MYSQL,
        [
            {"a": 1, "b": "it's \\ a\nb", "c": None},
            {"a": 2, "b": "O'Hara", "c": -1.5},
            {"a": 3, "b": "x", "c": "ABC"},
        ],
        id="mysqldump",
    ),
    pytest.param(
        POSTGRES,
        [
            {"a": "1", "b": "one\ttab\\", "c": None},
            {"a": "2", "b": "", "c": "x"},
            {"a": 3, "b": "back\\slash", "c": "new\nline"},
            {"a": 4, "b": "cast", "c": 1},
        ],
        id="pg_dump",
    ),
    pytest.param(
        SQLITE,
        [{"a": 1, "b": "two\nlines", "c": "AB"}, {"a": 2, "b": "été", "c": None}],
        id="sqlite3 .dump",
    ),
    pytest.param(
        "INSERT INTO t (a, `b`) VALUES\n(1, 'x'),\n(2, 'y') ON DUPLICATE KEY UPDATE a = 'q;';\nINSERT INTO t (a) VALUES (3);",
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3}],
        id="complete inserts by hand",
    ),
]


@pytest.mark.parametrize(("text", "expected"), DUMPS)
def test_rows_of_a_table_are_found(text, expected):
    """Each dialect, with its quotes and escapes; other tables and statements are passed over."""
    assert [cells for _, cells in rows(text)] == expected


@pytest.mark.parametrize(("text", "expected"), DUMPS)
@pytest.mark.parametrize("size", [1, 7, 100])
def test_pieces_of_any_size_give_the_same(monkeypatch, text, expected, size):
    """Where the file is cut into pieces does not matter."""
    monkeypatch.setattr("posthouse.services.administration.importing.source._CHUNK", size)
    assert [cells for _, cells in rows(text)] == expected


def test_places_are_lines_of_the_file():
    """Rows name table and line."""
    found = list(read_dump(file_of("d.sql", MYSQL.encode()), "utf-8", ("t",)))
    assert {row.where for row in found} == {"t:11"}


CUT = [
    pytest.param(
        MYSQL[: MYSQL.index("O''Hara")], "quoted value does not end|cut off|not what it should", id="in a value"
    ),
    pytest.param(MYSQL[: MYSQL.index("-- Dump completed")], "its end mark is missing", id="end mark of mysqldump"),
    pytest.param(POSTGRES[: POSTGRES.index("2\t\tx")], "rows of COPY do not end", id="in COPY"),
    pytest.param(SQLITE.replace("COMMIT;\n", ""), "its end mark is missing", id="end mark of sqlite3"),
    pytest.param("INSERT INTO t (a) VALUES (1), ", "d.sql:1", id="after a comma"),
    pytest.param("CREATE TABLE t (a int, b", "does not end", id="in a definition"),
    pytest.param("UPDATE x SET y = 'z", "does not end", id="in another statement"),
]


@pytest.mark.parametrize(("text", "why"), CUT)
def test_a_dump_that_is_cut_off_is_told(text, why):
    """With its line, and never as if it were whole."""
    with pytest.raises(Unreadable, match=why):
        rows(text)


BROKEN = [
    pytest.param("INSERT INTO t VALUES (1);", "columns of t are not known", id="no columns"),
    pytest.param("INSERT INTO t (a) VALUES (1, 2);", "2 values for 1 columns", id="too many values"),
    pytest.param("INSERT INTO t (a) VALUES (now());", "a value", id="a function"),
    pytest.param("INSERT INTO t (a) VALUES (SELECT 1);", "a value begins with", id="a query"),
    pytest.param("INSERT INTO t (a) VALUES (\0);", "NUL", id="NUL"),
    pytest.param("INSERT INTO t (a) VALUES (" + "replace(" * 50 + "1", "value", id="nested"),
]


@pytest.mark.parametrize(("text", "why"), BROKEN)
def test_what_makes_no_sense_is_told(text, why):
    """One error, no other exception."""
    with pytest.raises(Unreadable, match=why):
        rows(text)


def test_a_value_without_end_is_refused_in_bounded_memory(monkeypatch):
    """A gigabyte on one line ends at the bound."""
    monkeypatch.setattr(sql_text, "VALUE_MAX", 10_000)
    with pytest.raises(Unreadable, match="a value has more than 10000 characters"):
        rows("INSERT INTO t (a) VALUES ('" + "x" * 1_000_000)


def test_a_long_line_of_short_rows_is_read():
    """Lines may be of any length."""
    text = "INSERT INTO t (a,b) VALUES " + ",".join(f"({n},'v{n}')" for n in range(50_000)) + ";"
    assert len(rows(text)) == 50_000
