import json
import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "infra" / "glue")]

import runner  # noqa: E402
from local_session import open_local_session  # noqa: E402


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    session = open_local_session(str(tmp_path_factory.mktemp("spark")))
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


class Lake:
    """Runs jobs over a folder."""

    def __init__(self, spark, folder):
        self.spark = spark
        self.folder = folder

    def run(self, max_file_bytes=runner.DEFAULT_MAX_FILE_BYTES, **parts):
        job = {"id": "a.b/c/1", "inputs": [], "inline": [], "steps": [], "outputs": [], "measures": [], **parts}
        return runner.run_job(self.spark, {"job": job, "maxFileBytes": max_file_bytes})

    def output(self, select, columns, by=(), prefix="out/1/"):
        return {
            "name": "out",
            "select": select,
            "columns": columns,
            "partitionBy": list(by),
            "prefix": prefix,
            "location": f"{self.folder}/{prefix}",
        }

    def write(self, select, columns, by=(), prefix="out/1/", **options):
        return self.run(outputs=[self.output(select, columns, by, prefix)], **options)["outputs"]["out"]

    def input(self, written, columns, by=(), name="source"):
        files = [
            {"key": file["key"], "location": f"{self.folder}/{file['key']}", "partition": one["partition"]}
            for one in written
            for file in one["files"]
        ]
        return {"name": name, "columns": columns, "partitionBy": list(by), "files": files}

    def rows(self, sql, *inputs):
        found = self.run(inputs=list(inputs), measures=[{"name": "m", "sql": sql}])["measures"]["m"]
        return [list(row.values()) for row in found]

    def files(self, prefix="out"):
        return sorted(str(path.relative_to(self.folder)) for path in (self.folder / prefix).rglob("*") if path.is_file())


@pytest.fixture
def lake(spark, tmp_path):
    return Lake(spark, tmp_path)


def pytest_runtest_logreport(report):
    """Each test's end as a line of JSON, for who runs pytest."""
    place = os.environ.get("PYTEST_ENDS")
    if place is None or (report.when != "call" and report.outcome == "passed"):
        return
    with open(place, "a") as file:
        file.write(json.dumps({"test": report.nodeid, "outcome": report.outcome, "text": report.longreprtext}) + "\n")
