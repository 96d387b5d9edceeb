import duckdb
import pytest
from columns import EVERY_TYPE, column

import runner


def written_by_duckdb(lake, select, key="in/a.parquet", partition=None):
    path = lake.folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"copy ({select}) to '{path}' (format parquet)")
    return {"key": key, "location": str(path), "partition": partition or {}}


def source(columns, files, by=()):
    return {"name": "source", "columns": columns, "partitionBy": list(by), "files": files}


def test_files_of_duckdb_read_the_same(lake):
    file = written_by_duckdb(
        lake,
        """select 'é' t, true b, 1::int i, 2::bigint l, 0.1::double f, 1.50::decimal(18,2) m,
        12345678901234567890.123456789012345678::decimal(38,18) x, date '0001-01-01' d,
        timestamp '1900-01-01 00:00:00.000001' ts, ['a', null] a""",
    )
    assert lake.rows("select * from source", source(EVERY_TYPE, [file])) == [
        ["é", True, "1", "2", "0.1", "1.50", "12345678901234567890.123456789012345678", "0001-01-01", "1900-01-01 00:00:00.000001", ["a", None]]
    ]


def test_files_with_other_types_are_widened_or_refused(lake):
    old = written_by_duckdb(lake, "select 1::int n, 'a' t", "in/old.parquet")
    new = written_by_duckdb(lake, "select 3000000000 n, 'b' t", "in/new.parquet")
    wide = [column("n", "bigint"), column("t", "text")]
    assert lake.rows("select n, t from source order by n", source(wide, [old, new])) == [["1", "a"], ["3000000000", "b"]]
    narrow = [column("n", "int"), column("t", "text")]
    with pytest.raises(runner.JobError, match="values of n that fit"):
        lake.rows("select n from source", source(narrow, [old, new]))


def test_a_column_that_older_files_lack_is_null_there_and_refused_when_it_may_not_be(lake):
    old = written_by_duckdb(lake, "select 1 n", "in/old.parquet")
    new = written_by_duckdb(lake, "select 2 n, 'new' tag", "in/new.parquet")
    columns = [column("n", "int"), column("tag", "text")]
    assert lake.rows("select n, tag from source order by n", source(columns, [old, new])) == [["1", None], ["2", "new"]]
    with pytest.raises(runner.JobError, match="column tag .*never null"):
        lake.rows("select 1", source([column("n", "int"), column("tag", "text", False)], [old]))


@pytest.mark.parametrize("files", [3, 40])
def test_partition_values_come_from_the_document_and_not_from_the_path(lake, files):
    columns = [column("n", "int"), column("day", "date", False), column("place", "text", False)]
    given = [
        written_by_duckdb(lake, f"select {at} n", f"in/day=1999-01-01/f {at} %41*[x].parquet", {"day": f"2026-01-{at % 28 + 1:02}", "place": f"p{at}"})
        for at in range(files)
    ]
    found = lake.rows("select n, day, place from source order by n", source(columns, given, ["day", "place"]))
    assert found == [[str(at), f"2026-01-{at % 28 + 1:02}", f"p{at}"] for at in range(files)]


def test_a_partition_value_that_is_missing_or_does_not_fit_is_refused(lake):
    columns = [column("n", "int"), column("day", "date", False)]
    file = written_by_duckdb(lake, "select 1 n")
    with pytest.raises(runner.JobError, match="a value for partition column day"):
        lake.rows("select 1", source(columns, [file], ["day"]))
    with pytest.raises(runner.JobError, match="values of day that fit"):
        lake.rows("select * from source", source(columns, [{**file, "partition": {"day": "soon"}}], ["day"]))


def test_an_unknown_column_is_named_also_over_a_typed_partition(lake):
    columns = [column("n", "int"), column("day", "date", False)]
    file = {**written_by_duckdb(lake, "select 1 n"), "partition": {"day": "2026-01-01"}}
    with pytest.raises(runner.JobError, match="SQL that Spark can run.*no_such_column") as failed:
        lake.rows("select no_such_column from source", source(columns, [file], ["day"]))
    assert failed.value.kind == "terminal"


def test_a_missing_and_a_damaged_file_are_named_and_terminal(lake):
    columns = [column("n", "int")]
    with pytest.raises(runner.JobError, match=r"in/gone\.parquet.*run the task that wrote it again") as gone:
        lake.rows("select 1", source(columns, [{"key": "in/gone.parquet", "location": f"{lake.folder}/in/gone.parquet", "partition": {}}]))
    damaged = lake.folder / "damaged.parquet"
    damaged.write_text("this is no Parquet file at all")
    with pytest.raises(runner.JobError, match=r"damaged\.parquet") as broken:
        lake.rows("select 1", source(columns, [{"key": "damaged.parquet", "location": str(damaged), "partition": {}}]))
    assert (gone.value.kind, broken.value.kind) == ("terminal", "terminal")


def test_an_input_without_files_is_empty_and_typed(lake):
    columns = [column("n", "int"), column("a", "text[]")]
    assert lake.rows("select count(*), max(n + 1), max(size(a)) from source", source(columns, [])) == [["0", None, None]]


def test_inline_values_are_exact(lake):
    texts = ["it's \\ \"é\"", "${HOME}", "a\nb", "\\u0041", "--", "🙂", ""]
    relation = {"name": "r", "columns": [column("at", "int"), column("t", "text")], "rows": [[str(at), t] for at, t in enumerate(texts)]}
    found = lake.run(inline=[relation], measures=[{"name": "m", "sql": "select t from r order by at"}])
    assert [row["t"] for row in found["measures"]["m"]] == texts
