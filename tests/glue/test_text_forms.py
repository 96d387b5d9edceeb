import pytest

import runner


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (-1, "decimal(38,18)", "-0.000000000000000001"),
        (150, "decimal(18,2)", "1.50"),
        (7, "decimal(18,0)", "7"),
        (b"\xff\x38", "decimal(38,2)", "-2.00"),
        (-719162, "date", "0001-01-01"),
        (2932896, "date", "9999-12-31"),
        (2932897, "date", None),
        (-999_999, "timestamp", "1969-12-31 23:59:59.000001"),
        (500_000, "timestamp", "1970-01-01 00:00:00.5"),
        (10_000_000, "timestamp", "1970-01-01 00:00:10"),
        (1e300, "double", "1e+300"),
        (True, "boolean", "true"),
        ("é🙂".encode(), "text", "é🙂"),
        (None, "text", None),
    ],
)
def test_extremes_are_shown_as_duckdb_shows_them(value, kind, text):
    assert runner.extreme_text(value, kind) == text


def test_extremes_of_parts_are_unknown_as_soon_as_one_part_does_not_know_its_own():
    known, unknown = runner.Extremes(1, 2, 5, True), runner.Extremes(0, None, None, False)
    only_nulls = runner.Extremes(3, None, None, True)
    assert runner.merged(known, only_nulls) == runner.Extremes(4, 2, 5, True)
    assert runner.merged(known, unknown) == runner.Extremes(1, None, None, False)
    assert runner.merged(only_nulls, only_nulls) == runner.Extremes(6, None, None, True)


@pytest.mark.parametrize("value", ["", "%", "%25", "a=b", "2026-01-01", "a b", "é"])
def test_a_folder_name_gives_its_value_back(spark, value):
    from urllib.parse import quote

    from pyspark.sql import functions as F

    [[named]] = spark.range(1).select(runner.folder_name(F.lit(value))).collect()
    assert named != ""
    assert runner.folder_value("day=" + quote(named, safe=" é")) == value


def test_arguments_of_glue_are_read_beside_ours():
    argv = ["runner.py", "--JOB_NAME", "j", "--enable-metrics", "--job=s3://b/jobs/a/job.json", "--conf", "a=b", "--last"]
    assert runner.arguments(argv) == {
        "JOB_NAME": "j",
        "enable-metrics": "",
        "job": "s3://b/jobs/a/job.json",
        "conf": "a=b",
        "last": "",
    }
