"""Runs one Glue job script in a process of its own on the Spark that is warm already: run_script.py RUN_ID ERROR_FILE SCRIPT ARGUMENTS..."""

import os
import runpy
import shlex
import signal
import sys
import threading
import traceback

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.sql import SparkSession

run_id, error_file, script = sys.argv[1:4]
sys.argv = [script, *sys.argv[4:]]
sys.path.insert(0, os.path.dirname(script))
new_session = SparkSession.__init__


def join_context(self, jconf):
    warm = self._jvm.org.apache.spark.SparkContext.getOrCreate(jconf)
    return self._jvm.JavaSparkContext.fromSparkContext(warm)


def settings_of_job():
    """What `--conf a=b --conf c=d` among the arguments sets, as Glue has it."""
    words = [word for name, value in zip(sys.argv, sys.argv[1:]) if name == "--conf" for word in shlex.split(value)]
    return dict(word.split("=", 1) for word in words if "=" in word)


def open_session(self, sparkContext, jsparkSession=None, options={}):
    if jsparkSession is None:
        jsparkSession = sparkContext._jvm.SparkSession.getDefaultSession().get().newSession()
        sessions = getattr(getattr(sparkContext._jvm, "SparkSession$"), "MODULE$")
        sessions.applyModifiableSettings(jsparkSession, {**settings_of_job(), **options})
        sparkContext.setJobGroup(run_id, run_id, interruptOnCancel=True)
    new_session(self, sparkContext, jsparkSession, options)


def leave_session(self):
    SparkSession._instantiatedSession = None
    SparkSession._activeSession = None


def end_jobs(*_):
    context = SparkContext._active_spark_context
    if context is not None:
        context.cancelJobGroup(run_id)
    os._exit(128 + signal.SIGTERM)


def fail(message):
    with open(error_file, "w") as file:
        file.write(message)


def message_of(error):
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, Py4JJavaError):
        text = f"{text.splitlines()[0]} {error.java_exception.toString()}"
    return text


SparkContext._initialize_context = join_context
SparkContext.stop = lambda self: None
SparkSession.__init__ = open_session
SparkSession.stop = leave_session
# The handler may stand in the middle of a call to the JVM: what it has to say goes over a connection of its own.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end_jobs).start())

try:
    runpy.run_path(script, run_name="__main__")
except SystemExit as end:
    if end.code not in (None, 0):
        fail(f"SystemExit: {end.code}")
    raise
except BaseException as error:
    traceback.print_exc()
    fail(message_of(error))
    sys.exit(1)
