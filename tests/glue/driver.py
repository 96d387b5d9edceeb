"""A Spark session that stays warm and runs the runner's jobs of other processes: one JSON object per line, in and out.

    {"id": 1, "run": [<arguments of runner.py>]}   ->  {"id": 1, "status": 0}
    {"id": 2, "schema": <location of a file>}      ->  {"id": 2, "columns": [[name, type], …]}
    {"cancel": 1}                                  ->  nothing of its own: run 1 ends
"""

import json
import sys
import tempfile
import threading
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "infra" / "glue"))

import runner  # noqa: E402
from local_session import open_local_session  # noqa: E402

answers = sys.stdout
# Whatever prints beside the protocol.
sys.stdout = sys.stderr
lock = threading.Lock()


def answer(value):
    with lock:
        answers.write(json.dumps(value) + "\n")
        answers.flush()


def logical_type(found):
    names = {
        "string": "text",
        "boolean": "boolean",
        "int": "int",
        "bigint": "bigint",
        "double": "double",
        "date": "date",
        "timestamp": "timestamp",
        "timestamp_ntz": "timestamp",
        "array<string>": "text[]",
    }
    return names.get(found, found)


def handle(spark, request):
    context = spark.sparkContext
    try:
        if "schema" in request:
            session = runner.job_session(spark)
            frame = session.read.parquet(runner.exactly(request["schema"]))
            columns = [[field.name, logical_type(field.dataType.simpleString())] for field in frame.schema.fields]
            answer({"id": request["id"], "columns": columns})
            return
        context.setJobGroup(str(request["id"]), str(request["id"]), True)
        failed = runner.main(request["run"], lambda: spark)
        answer({"id": request["id"], "status": 0 if failed is None else 1})
    except BaseException as error:  # noqa: BLE001
        traceback.print_exc()
        answer({"id": request["id"], "failure": str(error)})


def main():
    with tempfile.TemporaryDirectory(prefix="ingot-spark-") as scratch:
        spark = open_local_session(scratch)
        spark.sparkContext.setLogLevel("ERROR")
        answer({"ready": True})
        for line in sys.stdin:
            request = json.loads(line)
            if "cancel" in request:
                spark.sparkContext.cancelJobGroup(str(request["cancel"]))
                continue
            threading.Thread(target=handle, args=(spark, request), daemon=True).start()
        spark.stop()


main()
