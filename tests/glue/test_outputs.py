import duckdb
import pytest
from columns import EVERY_TYPE, column

import runner

VALUES = """
select * from values
  ('é"\\' \\n', true, 2147483647, 9223372036854775807L, 0.1D, 9999999999999999.99BD, cast('12345678901234567890.123456789012345678' as decimal(38,18)), date'9999-12-31', timestamp'2026-01-01 23:59:59.999999', array('a', '', null, '"}')),
  ('', false, -2147483648, -9223372036854775807L, -1e300D, -0.01BD, cast('-0.000000000000000001' as decimal(38,18)), date'0001-01-01', timestamp'1969-12-31 23:59:59.000001', cast(array() as array<string>)),
  (null, null, null, null, null, null, null, null, null, null)
as v(t, b, i, l, f, m, x, d, ts, a)"""

DUCKDB_TYPES = (
    "VARCHAR BOOLEAN INTEGER BIGINT DOUBLE DECIMAL(18,2) DECIMAL(38,18) DATE TIMESTAMP VARCHAR[]".split()
)


def test_files_read_the_same_in_duckdb(lake):
    [written] = lake.write(VALUES, EVERY_TYPE)
    files = [f"{lake.folder}/{file['key']}" for file in written["files"]]
    found = duckdb.sql(f"select * from read_parquet({files})")
    assert [str(kind) for kind in found.types] == DUCKDB_TYPES
    assert found.columns == [one["name"] for one in EVERY_TYPE]
    texts = ", ".join(f"{one['name']}::varchar" for one in EVERY_TYPE)
    assert duckdb.sql(f"select {texts} from found order by i nulls last").fetchall() == [
        ("", "false", "-2147483648", "-9223372036854775807", "-1e+300", "-0.01", "-0.000000000000000001", "0001-01-01", "1969-12-31 23:59:59.000001", "[]"),
        ("é\"' \n", "true", "2147483647", "9223372036854775807", "0.1", "9999999999999999.99", "12345678901234567890.123456789012345678", "9999-12-31", "2026-01-01 23:59:59.999999", "[a, '', NULL, '\"}']"),
        (None,) * 10,
    ]


def test_statistics_are_those_of_the_rows(lake):
    [written] = lake.write(VALUES, EVERY_TYPE)
    assert written["columns"] == {
        "t": {"nulls": 1, "min": "", "max": "é\"' \n"},
        "b": {"nulls": 1, "min": "false", "max": "true"},
        "i": {"nulls": 1, "min": "-2147483648", "max": "2147483647"},
        "l": {"nulls": 1, "min": "-9223372036854775807", "max": "9223372036854775807"},
        "f": {"nulls": 1, "min": "-1e+300", "max": "0.1"},
        "m": {"nulls": 1, "min": "-0.01", "max": "9999999999999999.99"},
        "x": {"nulls": 1, "min": "-0.000000000000000001", "max": "12345678901234567890.123456789012345678"},
        "d": {"nulls": 1, "min": "0001-01-01", "max": "9999-12-31"},
        "ts": {"nulls": 1, "min": "1969-12-31 23:59:59.000001", "max": "2026-01-01 23:59:59.999999"},
        "a": {"nulls": 0, "min": None, "max": None},
    }


def test_text_is_ordered_by_code_point(lake):
    [written] = lake.write("select * from values ('Z'), ('a'), ('é'), ('\\uffee'), ('🙂') as v(t)", [column("t", "text")])
    assert written["columns"]["t"] == {"nulls": 0, "min": "Z", "max": "🙂"}


def test_a_text_too_long_for_statistics_has_none_but_its_rows_count(lake):
    [written] = lake.write("select repeat('x', 100000) as t", [column("t", "text")])
    assert written["rows"] == 1
    assert written["columns"]["t"]["min"] in (None, "x" * 100000)


def test_partition_values_are_exact_and_not_in_the_files(lake):
    columns = [column("n", "int"), column("day", "date", False), column("place", "text", False)]
    select = "select * from values (1, date'2026-01-01', 'a/b=c%20 d\\'e\"é🙂'), (2, date'2026-01-02', 'x*[?]y'), (3, date'2026-01-02', ''), (4, date'2026-01-02', '__HIVE_DEFAULT_PARTITION__') as v(n, day, place)"
    written = lake.write(select, columns, by=["day", "place"])
    assert [one["partition"]["place"] for one in written] == ["a/b=c%20 d'e\"é🙂", "", "__HIVE_DEFAULT_PARTITION__", "x*[?]y"]
    assert written[0]["columns"]["day"] == {"nulls": 0, "min": "2026-01-01", "max": "2026-01-01"}
    stored = duckdb.sql(f"select * from read_parquet(['{lake.folder}/{written[1]['files'][0]['key']}'], hive_partitioning = false)")
    assert stored.columns == ["n"]
    assert sorted(lake.files()) == sorted(file["key"] for one in written for file in one["files"])
    source = lake.input(written, columns, by=["day", "place"])
    found = lake.rows("select n, day, place from source order by n", source)
    assert [row[2] for row in found] == ["a/b=c%20 d'e\"é🙂", "x*[?]y", "", "__HIVE_DEFAULT_PARTITION__"]


def test_files_are_bounded_and_hold_every_row_once(lake):
    columns = [column("t", "text"), column("day", "date", False), column("n", "bigint")]
    select = "select concat(md5(cast(id as string)), sha2(cast(id as string), 256)) as t, date_add(date'2026-01-01', cast(id % 20 = 0 as int)) as day, id as n from range(100000)"
    large, small = lake.write(select, columns, by=["day"], max_file_bytes=2_000_000)
    assert [large["rows"], small["rows"]] == [95_000, 5_000]
    assert len(large["files"]) > 2
    assert max(file["bytes"] for file in large["files"]) < 3_000_000
    assert large["columns"]["n"] == {"nulls": 0, "min": "1", "max": "99999"}
    assert sorted(lake.files()) == sorted(file["key"] for one in (large, small) for file in one["files"])
    source = lake.input([large, small], columns, by=["day"])
    assert lake.rows("select count(*), count(distinct n), sum(n) from source", source) == [["100000", "100000", "4999950000"]]


def test_small_rows_are_in_one_file_however_many_tasks_made_them(lake):
    [written] = lake.write("select id as n from range(0, 1000, 1, 16)", [column("n", "bigint")])
    assert len(written["files"]) == 1


@pytest.mark.parametrize(
    ("select", "kind"),
    [
        ("1.005BD", "decimal(10,2)"),
        ("123456BD", "decimal(6,2)"),
        ("1.5D", "int"),
        ("3000000000L", "int"),
        ("double('NaN')", "int"),
        ("1D / 3", "decimal(18,6)"),
        ("9007199254740993L", "double"),
        ("2", "boolean"),
        ("timestamp'2026-01-01 10:00:00'", "date"),
        ("'1.005'", "decimal(10,2)"),
        ("'1e3'", "decimal(10,2)"),
        ("'2026-01-01T00:00:00+02:00'", "timestamp"),
        ("'2026-01-01T00:00:00.1234567'", "timestamp"),
        ("'2026-02-30'", "date"),
        ("'x'", "int"),
        ("'1\\n'", "int"),
        ("' 1'", "int"),
        ("'1.5'", "bigint"),
        ("'3000000000'", "int"),
        ("'2026-01-01 10:00:00'", "date"),
        ("'yes'", "boolean"),
        ("'1_000'", "double"),
    ],
)
def test_a_value_that_does_not_fit_fails_the_job_and_leaves_nothing(lake, select, kind):
    with pytest.raises(runner.JobError, match="values of v that fit its declared type") as failed:
        lake.write(f"select {select} as v", [column("v", kind)])
    assert failed.value.kind == "terminal"
    assert lake.files() == []


@pytest.mark.parametrize(
    ("select", "kind", "text"),
    [
        ("'1.50'", "decimal(18,2)", "1.50"),
        ("'1.5000'", "decimal(18,2)", "1.50"),
        ("'+.5'", "decimal(18,2)", "0.50"),
        ("7BD", "int", "7"),
        ("'-7'", "bigint", "-7"),
        ("0.1BD", "double", "0.1"),
        ("'1e3'", "double", "1000.0"),
        ("timestamp'2026-01-01'", "date", "2026-01-01"),
        ("date'2026-01-01'", "timestamp", "2026-01-01 00:00:00"),
        ("'2026-01-01T01:02:03Z'", "timestamp", "2026-01-01 01:02:03"),
        ("'2026-01-01 01:02:03.500000000+00'", "timestamp", "2026-01-01 01:02:03.5"),
        ("'2026-01-01 01:02'", "timestamp", "2026-01-01 01:02:00"),
        ("'2026-01-01'", "timestamp", "2026-01-01 00:00:00"),
        ("timestamp_ntz'2026-03-29 02:30:00'", "timestamp", "2026-03-29 02:30:00"),
        ("'TRUE'", "boolean", True),
        ("12.50BD", "text", "12.50"),
        ("0.000000001BD", "text", "0.000000001"),
        ("1e23D", "text", "1e+23"),
        ("cast(0.1D as float)", "text", "0.1"),
        ("null", "date", None),
        ("1Y", "int", "1"),
    ],
)
def test_a_value_that_fits_is_cast(lake, select, kind, text):
    columns = [column("v", kind)]
    written = lake.write(f"select {select} as v", columns)
    assert lake.rows("select v from source", lake.input(written, columns)) == [[text]]


def test_wrong_columns_and_nulls_are_refused(lake):
    with pytest.raises(runner.JobError, match="expected columns a, b; found a, c"):
        lake.write("select 1 as a, 2 as c", [column("a", "int"), column("b", "int")])
    with pytest.raises(runner.JobError, match="expected columns a; found a, a"):
        lake.write("select 1 as a, 2 as a", [column("a", "int")])
    with pytest.raises(runner.JobError, match="no null in a; found 1 nulls"):
        lake.write("select cast(null as int) as a", [column("a", "int", False)])
    with pytest.raises(runner.JobError, match="a value of partition column day in every row; found null"):
        lake.write("select 1 as a, cast(null as date) as day", [column("a", "int"), column("day", "date", False)], by=["day"])
    assert lake.files() == []


def test_columns_are_written_in_declared_order(lake):
    [written] = lake.write("select 1 as b, 2 as a", [column("a", "int"), column("b", "int")])
    stored = duckdb.sql(f"select * from read_parquet(['{lake.folder}/{written['files'][0]['key']}'])")
    assert (stored.columns, stored.fetchall()) == (["a", "b"], [(2, 1)])


def test_without_rows_a_partitioned_output_has_no_partitions_and_any_other_one(lake):
    columns = [column("n", "int"), column("day", "date", False)]
    none = "select 1 as n, date'2026-01-01' as day where false"
    assert lake.write(none, columns, by=["day"]) == []
    [empty] = lake.write(none, columns, prefix="out/2/")
    assert (empty["rows"], empty["columns"]["n"]) == (0, {"nulls": 0, "min": None, "max": None})
    assert lake.rows("select count(*) from source", lake.input([empty], columns)) == [["0"]]


def test_what_an_earlier_attempt_left_is_gone(lake):
    left = lake.folder / "out/1/day=2026-03-03/left.parquet"
    left.parent.mkdir(parents=True)
    left.write_text("half a file")
    written = lake.write("select 1 as n", [column("n", "int")])
    assert lake.files() == [file["key"] for one in written for file in one["files"]]
