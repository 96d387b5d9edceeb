"""Keeps one Spark alive for all job scripts of a test run and tells where it listens."""

import json
import os
import sys

from pyspark.sql import SparkSession

context = SparkSession.builder.getOrCreate().sparkContext
parameters = context._gateway.java_parameters
address = sys.argv[1]
with open(address + ".new", "w") as file:
    json.dump({"port": parameters.port, "secret": parameters.auth_token}, file)
os.rename(address + ".new", address)
sys.exit(context._gateway.proc.wait())
