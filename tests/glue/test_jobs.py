import json

import pytest
from columns import column

import runner


def test_a_step_is_computed_once_whoever_reads_it(lake):
    columns = [column("r", "double")]
    result = lake.run(
        steps=[{"name": "random", "sql": "select rand() as r from range(100)"}, {"name": "copy", "sql": "select r from random"}],
        outputs=[lake.output("select r from random", columns)],
        measures=[
            {"name": "direct", "sql": "select sum(r) as s from (select r from random order by r)"},
            {"name": "copied", "sql": "select count(*) as n from copy full join random using (r) where copy.r is null or random.r is null"},
        ],
    )
    assert result["measures"]["copied"] == [{"n": "0"}]
    written = lake.rows("select sum(r) from (select r from source order by r)", lake.input(result["outputs"]["out"], columns))
    assert written == [[result["measures"]["direct"][0]["s"]]]


def test_jobs_do_not_see_each_other(lake):
    lake.run(steps=[{"name": "mine", "sql": "select 1 as n"}])
    with pytest.raises(runner.JobError, match="mine"):
        lake.rows("select * from mine")


@pytest.mark.parametrize("sql", ["select 1 as n; select 2 as n", "create table t as select 1", "set spark.sql.ansi.enabled=false", "insert into t select 1"])
def test_anything_but_one_select_is_refused(lake, sql):
    with pytest.raises(runner.JobError, match="step s, line 1, column") as refused:
        lake.run(steps=[{"name": "s", "sql": sql}])
    assert refused.value.kind == "terminal"


def test_a_select_may_end_with_a_semicolon_or_a_comment(lake):
    assert lake.rows("select 1 as n -- the end") == [["1"]]
    assert lake.rows("select 1 as n;\n ; \n") == [["1"]]


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(t as int) from fine",
        "select cast(cast(t as date) as string) from fine",
        "select raise_error(concat('no ', t)) from fine",
        "select assert_true(t = 'x', t) from fine",
        "select to_timestamp(t, 'yyyy') from fine",
        "select 1 / (length(t) - 10), t from fine",
        "select cast('Lost executor top secret' as int)",
    ],
)
def test_an_error_over_values_is_terminal_and_shows_none(lake, sql):
    with pytest.raises(runner.JobError, match="measure m") as failed:
        lake.run(steps=[{"name": "fine", "sql": "select 'top secret' as t"}], measures=[{"name": "m", "sql": sql}])
    assert failed.value.kind == "terminal"
    assert "secret" not in str(failed.value)


def test_an_error_of_names_is_terminal_even_when_they_sound_like_trouble(lake):
    with pytest.raises(runner.JobError, match="line 2, column 3") as failed:
        lake.rows("select\n  cancelled from (select 1 as heartbeat)")
    assert failed.value.kind == "terminal"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Job aborted due to stage failure: ExecutorLostFailure (executor 3 exited caused by one of the running tasks)", "retryable"),
        ("java.lang.OutOfMemoryError: Java heap space", "retryable"),
        ("Slow Down (Service: Amazon S3; Status Code: 503; Error Code: SlowDown)", "retryable"),
        ("No space left on device", "retryable"),
    ],
)
def test_trouble_of_the_cluster_is_retryable(message, kind):
    assert runner.statement_error("step s", OSError(message)).kind == kind


def document(tmp_path, **job):
    parts = {"id": "a.b/c/1", "inputs": [], "inline": [], "steps": [], "outputs": [], "measures": [], **job}
    (tmp_path / "job.json").write_text(json.dumps({"job": parts}))
    return str(tmp_path / "job.json")


def read(tmp_path, name):
    return json.loads((tmp_path / name).read_text())


def test_a_good_job_leaves_its_result(spark, tmp_path):
    place = document(tmp_path, measures=[{"name": "m", "sql": "select 1 as n"}])
    assert runner.main(["--job", place, "--ingot-id", "a.b/c/1", "--JOB_RUN_ID", "jr_1"], lambda: spark) is None
    assert read(tmp_path, "claim.json") == {"runId": "jr_1"}
    assert read(tmp_path, "result.json")["measures"] == {"m": [{"n": "1"}]}
    assert not (tmp_path / "error.json").exists()


def test_a_bad_job_leaves_its_error_and_tells_it(spark, tmp_path):
    place = document(tmp_path, measures=[{"name": "m", "sql": "select nothing"}])
    failed = runner.main(["--job", place, "--ingot-id", "a.b/c/1"], lambda: spark)
    error = read(tmp_path, "error.json")
    assert error["type"] == "terminal"
    assert error["message"] == str(failed)
    assert error["facts"]["place"] == "measure m, line 1, column 8 of its Spark SQL"
    assert not (tmp_path / "result.json").exists()


def test_a_document_that_is_gone_or_broken_is_an_error_too(spark, tmp_path):
    assert runner.main(["--job", str(tmp_path / "job.json")], lambda: spark).kind == "terminal"
    (tmp_path / "claim.json").unlink()
    (tmp_path / "job.json").write_text("{")
    assert runner.main(["--job", str(tmp_path / "job.json")], lambda: spark).kind == "terminal"


def test_a_second_run_leaves_the_job_to_the_first(spark, tmp_path):
    place = document(tmp_path, measures=[{"name": "m", "sql": "select 1 as n"}])
    (tmp_path / "claim.json").write_text(json.dumps({"runId": "jr_1"}))
    unused = lambda: pytest.fail("a duplicate opens no session")  # noqa: E731
    assert runner.main(["--job", place, "--JOB_RUN_ID", "jr_2"], unused) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claim.json", "job.json"]
    assert runner.main(["--job", place, "--JOB_RUN_ID", "jr_1"], lambda: spark) is None
    assert (tmp_path / "result.json").exists()


def test_the_claim_of_a_dead_run_is_taken_over_unless_it_left_something(tmp_path):
    folder = runner.LocalFolder(str(tmp_path / "job.json"))
    assert runner.claimed(folder, "jr_1", lambda _: True)
    assert not runner.claimed(folder, "jr_2", lambda holder: holder == "jr_1")
    assert runner.claimed(folder, "jr_2", lambda _: False)
    assert read(tmp_path, "claim.json") == {"runId": "jr_2"}
    folder.write("result.json", b"{}")
    assert not runner.claimed(folder, "jr_3", lambda _: False)
