"""Keeps one Spark alive for all job scripts of a test run and tells where it listens: warm_spark.py ADDRESS_FILE ENDED_FOLDER."""

import json
import os
import sys
import threading
import time

from pyspark.sql import SparkSession

context = SparkSession.builder.getOrCreate().sparkContext
parameters = context._gateway.java_parameters
address, ended_folder = sys.argv[1:3]


def cancel_what_outlives_its_script():
    """A script that was killed may have asked for one more job, which Spark begins once it has planned it."""
    while True:
        time.sleep(0.5)
        for run in os.scandir(ended_folder):
            if time.time() - run.stat().st_mtime < 120:
                context.cancelJobGroup(run.name)


with open(address + ".new", "w") as file:
    json.dump({"port": parameters.port, "secret": parameters.auth_token}, file)
os.rename(address + ".new", address)
threading.Thread(target=cancel_what_outlives_its_script, daemon=True).start()
sys.exit(context._gateway.proc.wait())
