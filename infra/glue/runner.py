"""Computes one SQL job on Spark: the script behind every model on Glue (Spark 3.5, Python 3.11, no awsglue).

    runner.py --job <location of job.json> --ingot-id <job id> --JOB_NAME <name> --JOB_RUN_ID <run>

The job document is `{"job": SqlJob, "maxFileBytes": n}` (ports/sql-engine.ts) with SQL in Spark's dialect, a `location`
beside the `key` of every input file and beside the `prefix` of every output. `result.json`, or `error.json` for a job
that failed, is written beside it.

What SQL meets here: ANSI mode, time zone UTC, `timestamp` is an instant shown in UTC (Parquet files hold it without
zone, as DuckDB writes it), `"name"` is an identifier, a string escapes by backslash, `${…}` is text.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Callable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

Json = Mapping[str, Any]

DEFAULT_MAX_FILE_BYTES = 512 << 20
# Shuffled bytes of one task that writes: files come out somewhat smaller, as Parquet packs better.
WRITTEN_TASK_BYTES = "128m"
FOOTERS_AT_ONCE = 16
# More partitions than this are labelled by a join on the file name in place of one scan each.
UNION_LIMIT = 32
LOSS_MARK = "ingot: lossy cast of "
NO_PARTITION_MARK = "ingot: no value for partition column "
NO_LABEL_MARK = "ingot: no label for a file"

SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.variable.substitute": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.compression.codec": "snappy",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.mergeSchema": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # Up to so many files are looked up without a Spark job for it.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "128",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": WRITTEN_TASK_BYTES,
}


class JobError(Exception):
    """Why a job failed: whether trying again can help, and what was expected, found and to be done, without data."""

    def __init__(self, kind: str, place: str, expected: str, found: str, remedy: str) -> None:
        super().__init__(f"{place}: expected {expected}; found {found}. {remedy}")
        self.kind = kind
        self.facts = {"place": place, "expected": expected, "found": found, "remedy": remedy}


def terminal(place: str, expected: str, found: str, remedy: str) -> JobError:
    return JobError("terminal", place, expected, found, remedy)


def retryable(place: str, expected: str, found: str, remedy: str) -> JobError:
    return JobError("retryable", place, expected, found, remedy)


# Types


def spark_type(name: str) -> T.DataType:
    """The type a column of this logical type has while SQL runs."""
    match = re.fullmatch(r"decimal\((\d+),(\d+)\)", name)
    if match:
        return T.DecimalType(int(match[1]), int(match[2]))
    return {
        "text": T.StringType(),
        "boolean": T.BooleanType(),
        "int": T.IntegerType(),
        "bigint": T.LongType(),
        "double": T.DoubleType(),
        "date": T.DateType(),
        "timestamp": T.TimestampType(),
        "text[]": T.ArrayType(T.StringType()),
    }[name]


def quoted(name: str) -> Column:
    return F.col("`" + name.replace("`", "``") + "`")


def text_pattern(to: str) -> str | None:
    """Texts that can be cast without dropping a digit, an offset or a time of day."""
    match = re.fullmatch(r"decimal\(\d+,(\d+)\)", to)
    if match:
        return rf"[+-]?(\d+\.?|\d*\.\d{{0,{match[1]}}}0*)"
    return {
        "int": r"[+-]?\d+",
        "bigint": r"[+-]?\d+",
        "date": r"\d{4,}-\d{2}-\d{2}",
        "timestamp": r"\d{4,}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6}0*)?)?(Z|\+00(:?00)?)?)?",
        "boolean": r"(?i)true|false",
    }.get(to)


def try_cast(value: Column, to: T.DataType) -> Column:
    # Column has no try_cast before Spark 4.
    from pyspark import SparkContext

    jvm = SparkContext._active_spark_context._jvm
    expressions = jvm.org.apache.spark.sql.catalyst.expressions
    java_type = jvm.org.apache.spark.sql.types.DataType.fromJson(to.json())
    zone = jvm.scala.Option.apply("UTC")
    cast = expressions.Cast(value._jc.expr(), java_type, zone, expressions.EvalMode.TRY())
    return Column(jvm.org.apache.spark.sql.Column(cast))


def loss(column: str) -> Column:
    return F.raise_error(F.lit(LOSS_MARK + column))


def is_same_type(found: T.DataType, target: T.DataType) -> bool:
    if isinstance(found, T.ArrayType) and isinstance(target, T.ArrayType):
        return found.elementType == target.elementType
    return found == target or (isinstance(target, T.StringType) and isinstance(found, T.StringType))


def lossless_cast(value: Column, found: T.DataType, to: str, column: str) -> Column:
    """`value` as `to`; the job fails where the cast would drop or round anything."""
    target = spark_type(to)
    if is_same_type(found, target):
        return value
    if isinstance(found, T.NullType):
        return value.cast(target)
    if isinstance(found, T.StringType):
        return text_cast(value, target, to, column)
    if isinstance(target, T.StringType):
        return double_text(value, found) if isinstance(found, (T.DoubleType, T.FloatType)) else value.cast(target)
    there = try_cast(value, target)
    back = try_cast(there, found)
    return F.when(value.isNull(), F.lit(None)).when(there.isNotNull() & back.eqNullSafe(value), there).otherwise(loss(column))


def text_cast(value: Column, target: T.DataType, to: str, column: str) -> Column:
    there = try_cast(value, target)
    pattern = text_pattern(to)
    fits = there.isNotNull() if pattern is None else value.rlike(rf"\A(?:{pattern})\z") & there.isNotNull()
    return F.when(value.isNull(), F.lit(None)).when(fits, there).otherwise(loss(column))


def double_text(value: Column, found: T.DataType) -> Column:
    """The shortest text that reads back as the same number, in DuckDB's form (which is Python's)."""
    source = value.cast(T.StringType()) if isinstance(found, T.FloatType) else value
    # Its own builtins only: workers do not have this file.
    return F.udf(lambda item: None if item is None else repr(float(item)), T.StringType())(source)


def number_text(value: Any) -> str:
    return repr(float(value))


# Statements


def select_text(sql: str) -> str:
    """One select without the semicolon a file of SQL may end with."""
    return re.sub(r"[\s;]+\Z", "", sql)


def query(spark: SparkSession, label: str, sql: str) -> DataFrame:
    """The frame of one select; any other statement is refused before it runs."""
    text = select_text(sql)
    with statement(label):
        spark._jsparkSession.sessionState().sqlParser().parseQuery(text)
        return spark.sql(text)


class statement:
    """Names the statement that fails: every error inside leaves as a JobError with this label."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, JobError):
            raise statement_error(self.label, error) from error


def causes(error: Exception) -> Iterator[tuple[str, str]]:
    """Class and message of a Java error and of what caused it; outermost first."""
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if java is None:
        yield type(error).__name__, str(getattr(error, "desc", None) or error)
        return
    for _ in range(12):
        yield java.getClass().getName(), java.getMessage() or ""
        java = java.getCause()
        if java is None:
            return


def first_line(message: str) -> str:
    return message.strip().split("\n")[0]


def position(message: str) -> str:
    match = re.search(r"line (\d+),? pos(?:ition)? (\d+)", message)
    return f", line {match[1]}, column {int(match[2]) + 1} of its Spark SQL" if match else ""


def marked(message: str, mark: str) -> str | None:
    at = message.find(mark)
    return None if at < 0 else first_line(message[at + len(mark) :])


BUSY = re.compile(
    r"OutOfMemory|ExecutorLost|ExecutorDeadException|Lost executor|FetchFailed|SlowDown|Status Code: 5\d\d|Throttl"
    r"|SocketTimeout|ConnectTimeout|SdkClientException|No space left|Resource unavailable|heartbeat"
    r"|Container killed|Checkpoint block .* not found|cancelled",
    re.IGNORECASE,
)
UNREADABLE = re.compile(
    r"is not a Parquet file|FileNotFound|PATH_NOT_FOUND|Could not read footer|CANNOT_READ_FILE_FOOTER|corrupt", re.IGNORECASE
)
REFUSED = re.compile(
    r"AnalysisException|ParseException|Spark(Arithmetic|NumberFormat|DateTime|Runtime|ArrayIndexOutOfBounds|IllegalArgument"
    r"|UnsupportedOperation)\w*Exception"
)
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"[^\"]*\"|`[^`]*`")


def statement_error(label: str, error: Exception) -> JobError:
    """Says what Spark refused, without the values it quotes."""
    chain = list(causes(error))
    everything = "\n".join(f"{name}: {message}" for name, message in chain)
    # An error of analysis quotes the plan, with every mark that stands in it.
    raised = "" if chain[0][0].endswith("AnalysisException") else everything
    lossy = marked(raised, LOSS_MARK)
    if lossy is not None:
        return terminal(
            label,
            f"values of {lossy} that fit its declared type",
            "a value that would lose digits or meaning",
            "Round, truncate or cast it explicitly in the SQL, or widen the declared type.",
        )
    unplaced = marked(raised, NO_PARTITION_MARK)
    if unplaced is not None:
        return terminal(
            label,
            f"a value of partition column {unplaced} in every row",
            "null",
            "Filter or fill the rows without one in the SQL.",
        )
    refused = any(REFUSED.search(name) for name, _ in chain)
    # Names and values that are quoted say nothing of Spark.
    told = QUOTED.sub("", everything)
    if not refused and BUSY.search(told):
        return retryable(
            label,
            "Spark to finish the statement",
            complaint(chain),
            "It is tried again; use more or larger workers if it happens often.",
        )
    if UNREADABLE.search(told):
        return terminal(
            label, "readable Parquet files", complaint(chain), "The file is gone or damaged: run the task that wrote it again."
        )
    if isinstance(error, (PySparkException, Py4JJavaError)):
        return terminal(
            label + position(everything), "SQL that Spark can run", refusal(error, chain), "Correct the SQL and run again."
        )
    if isinstance(error, (Py4JError, OSError)):
        return retryable(label, "a Spark session that answers", type(error).__name__, "It is tried again.")
    return terminal(label, "the runner to understand the job", f"{type(error).__name__}", "Report it: the log has the trace.")


def error_class(chain: Sequence[tuple[str, str]]) -> str | None:
    for _, message in reversed(chain):
        match = re.search(r"\[([A-Z][A-Z0-9_.]+)\]", message)
        if match:
            return match[1]
    return None


def complaint(chain: Sequence[tuple[str, str]]) -> str:
    """Names of the errors, and Spark's own class of the innermost: never their texts, which quote data."""
    name = chain[-1][0].split(".")[-1]
    known = error_class(chain)
    return name if known is None else f"{known} ({name})"


def refusal(error: Exception, chain: Sequence[tuple[str, str]]) -> str:
    """An error of analysis speaks of names and is quoted; any other may quote a value."""
    name, message = chain[0]
    if name.endswith(("AnalysisException", "ParseException")):
        return re.sub(r";\s*line \d+ pos \d+.*", "", first_line(message), flags=re.DOTALL).rstrip(".;")
    return complaint(chain)


# Parquet footers


@dataclass(frozen=True)
class Extremes:
    """Of one column of one file; `known` is false when it has values but no extremes."""

    nulls: int
    low: Any
    high: Any
    known: bool


@dataclass(frozen=True)
class Footer:
    location: str
    bytes: int
    rows: int
    schema: T.StructType
    columns: Mapping[str, Extremes]


class Files:
    """The file system behind a location, as Spark sees it."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.jvm = spark.sparkContext._jvm
        self.conf = spark.sparkContext._jsc.hadoopConfiguration()
        parquet = self.jvm.org.apache.spark.sql.execution.datasources.parquet
        self.converter = parquet.ParquetToSparkSchemaConverter(spark._jsparkSession.sessionState().conf())

    def path(self, location: str) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path(location)

    def system(self, location: str) -> Any:
        return self.path(location).getFileSystem(self.conf)

    def remove(self, location: str) -> None:
        self.system(location).delete(self.path(location), True)

    def listed(self, folder: str) -> list[str]:
        """Every file below a folder, relative to it."""
        system = self.system(folder)
        root = system.makeQualified(self.path(folder))
        if not system.exists(root):
            return []
        base = root.toUri().getPath().rstrip("/") + "/"
        found, walk = [], system.listFiles(root, True)
        while walk.hasNext():
            found.append(walk.next().getPath().toUri().getPath()[len(base) :])
        return sorted(found)

    def shown(self, location: str) -> str:
        """As `_metadata.file_path` spells it, with one slash after `file:`."""
        whole = self.system(location).makeQualified(self.path(location)).toUri().toString()
        return re.sub("^file:/+", "file:/", whole)

    def footers(self, locations: Sequence[str], place: Callable[[str], str], extremes: bool = False) -> list[Footer]:
        with ThreadPoolExecutor(FOOTERS_AT_ONCE) as pool:
            return list(pool.map(lambda location: self.footer(location, place(location), extremes), locations))

    def footer(self, location: str, place: str, extremes: bool) -> Footer:
        with statement(place):
            hadoop = self.jvm.org.apache.parquet.hadoop
            source = hadoop.util.HadoopInputFile.fromPath(self.path(location), self.conf)
            reader = hadoop.ParquetFileReader.open(source)
            try:
                found = reader.getFooter()
                schema = found.getFileMetaData().getSchema()
                fields = T.StructType.fromJson(json.loads(self.converter.convert(schema).json()))
                return Footer(
                    location,
                    source.getLength(),
                    reader.getRecordCount(),
                    fields,
                    chunk_extremes(found) if extremes else {},
                )
            finally:
                reader.close()


def chunk_extremes(footer: Any) -> dict[str, Extremes]:
    """Statistics of the columns that are not nested, over all row groups of a file."""
    found: dict[str, Extremes] = {}
    for block in footer.getBlocks():
        for chunk in block.getColumns():
            path = list(chunk.getPath().toArray())
            if len(path) != 1:
                continue
            one = statistics_of(chunk.getStatistics(), chunk.getValueCount())
            found[path[0]] = one if path[0] not in found else merged(found[path[0]], one)
    return found


def statistics_of(statistics: Any, values: int) -> Extremes:
    nulls = statistics.getNumNulls() if statistics.isNumNullsSet() else 0
    if nulls == values:
        return Extremes(nulls, None, None, True)
    if not statistics.hasNonNullValue():
        return Extremes(nulls, None, None, False)
    return Extremes(nulls, plain(statistics.genericGetMin()), plain(statistics.genericGetMax()), True)


def plain(value: Any) -> Any:
    # A Binary comes as a Java object, anything else as Python's own.
    return bytes(value.getBytes()) if hasattr(value, "getBytes") else value


def merged(one: Extremes, other: Extremes) -> Extremes:
    lows = [part.low for part in (one, other) if part.low is not None]
    highs = [part.high for part in (one, other) if part.high is not None]
    known = one.known and other.known
    return Extremes(
        one.nulls + other.nulls,
        min(lows) if known and lows else None,
        max(highs) if known and highs else None,
        known,
    )


EPOCH_DAYS = 719_163  # Of 1970-01-01 in Python's ordinals.


def extreme_text(value: Any, to: str) -> str | None:
    """A value of Parquet's statistics in the text form of its logical type."""
    if value is None:
        return None
    match = re.fullmatch(r"decimal\(\d+,(\d+)\)", to)
    if match:
        unscaled = int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) else int(value)
        return decimal_text(unscaled, int(match[1]))
    if to == "text":
        return value.decode("utf-8")
    if to == "boolean":
        return "true" if value else "false"
    if to == "double":
        return number_text(value)
    if to == "date":
        return date_text(int(value))
    if to == "timestamp":
        return timestamp_text(int(value))
    return str(value)


def decimal_text(unscaled: int, scale: int) -> str:
    return f"{Decimal(unscaled).scaleb(-scale, context=None) if scale == 0 else scaled(unscaled, scale)}"


def scaled(unscaled: int, scale: int) -> str:
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    return f"{'-' if unscaled < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def date_text(days: int) -> str | None:
    """Proleptic Gregorian; null beyond the years 1 to 9999."""
    import datetime

    ordinal = days + EPOCH_DAYS
    if not 1 <= ordinal <= datetime.date.max.toordinal():
        return None
    return datetime.date.fromordinal(ordinal).isoformat()


def timestamp_text(micros: int) -> str | None:
    days, rest = divmod(micros, 86_400_000_000)
    day = date_text(days)
    if day is None:
        return None
    seconds, fraction = divmod(rest, 1_000_000)
    shown = f"{day} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return shown if fraction == 0 else f"{shown}.{fraction:06}".rstrip("0")


# Inputs


def empty(spark: SparkSession, columns: Sequence[Json]) -> DataFrame:
    fields = [F.lit(None).cast(spark_type(column["type"])).alias(column["name"]) for column in columns]
    return spark.range(0).select(*fields)


def bind_inputs(spark: SparkSession, files: Files, inputs: Sequence[Json]) -> int:
    """Makes every input readable by its name; gives the bytes of its files."""
    by_location = {file["location"]: file["key"] for one in inputs for file in one["files"]}
    found = files.footers(list(by_location), lambda location: by_location[location])
    footers = {footer.location: footer for footer in found}
    for relation in inputs:
        label = f"input {relation['name']}"
        with statement(label):
            bound = input_frame(spark, files, relation, footers) if relation["files"] else empty(spark, relation["columns"])
            bound.createOrReplaceTempView("`" + relation["name"].replace("`", "``") + "`")
    return sum(footer.bytes for footer in found)


def input_frame(spark: SparkSession, files: Files, relation: Json, footers: Mapping[str, Footer]) -> DataFrame:
    """Declared columns in order, typed, over files that may each have been written with other columns and types."""
    stored = [column["name"] for column in relation["columns"] if column["name"] not in relation["partitionBy"]]
    groups: dict[str, tuple[T.StructType, list[Json]]] = {}
    for file in relation["files"]:
        schema = footers[file["location"]].schema
        kept = T.StructType([schema[name] for name in stored if name in schema.names])
        groups.setdefault(kept.json(), (kept, []))[1].append(file)
    frames = [frame for kept, members in groups.values() for frame in scans(spark, files, relation, kept, members)]
    return union(frames)


def union(frames: Sequence[DataFrame]) -> DataFrame:
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.union(frame)
    return whole


def partition_value(relation: Json, file: Json, column: str) -> str:
    value = file["partition"].get(column)
    if value is None:
        raise terminal(
            f"input {relation['name']}",
            f"a value for partition column {column}",
            json.dumps(file["partition"]),
            "Publish the file with all its partition values.",
        )
    return value


def scans(spark: SparkSession, files: Files, relation: Json, kept: T.StructType, members: Sequence[Json]) -> list[DataFrame]:
    """Scans of files of one schema, each row with its partition values as the document has them."""
    names = relation["partitionBy"]
    groups: dict[tuple[str, ...], list[str]] = {}
    for file in members:
        values = tuple(partition_value(relation, file, name) for name in names)
        groups.setdefault(values, []).append(file["location"])
    if len(groups) <= UNION_LIMIT:
        return [
            typed(relation, read(spark, kept, locations), kept, {name: F.lit(value) for name, value in zip(names, values)})
            for values, locations in groups.items()
        ]
    rows = [(files.shown(location), *values) for values, locations in groups.items() for location in locations]
    labels = text_relation(spark, ["__file", *[f"__label_{at}" for at in range(len(names))]], rows)
    every = [location for locations in groups.values() for location in locations]
    labelled = (
        read(spark, kept, every)
        .withColumn("__path", F.col("_metadata.file_path"))
        .join(F.broadcast(labels), F.regexp_replace("__path", "^file:/+", "file:/") == F.col("__file"), "left")
    )
    missing = F.raise_error(F.lit(NO_LABEL_MARK))
    values = {name: F.coalesce(F.col(f"__label_{at}"), missing) for at, name in enumerate(names)}
    return [typed(relation, labelled, kept, values)]


def read(spark: SparkSession, kept: T.StructType, locations: Sequence[str]) -> DataFrame:
    return spark.read.schema(kept).parquet(*[exactly(location) for location in locations])


def exactly(location: str) -> str:
    """A location as the pattern that only it fits. (Spark's switch for names without patterns reads every file once for each of them.)"""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", location)


def typed(relation: Json, frame: DataFrame, kept: T.StructType, values: Mapping[str, Column]) -> DataFrame:
    columns = []
    for column in relation["columns"]:
        name, to = column["name"], column["type"]
        if name in values:
            value = lossless_cast(values[name], T.StringType(), to, name)
        elif name in kept.names:
            value = lossless_cast(quoted(name), kept[name].dataType, to, name)
        elif column["nullable"]:
            value = F.lit(None).cast(spark_type(to))
        else:
            raise terminal(
                f"input {relation['name']}",
                f"column {name} ({to}, never null) in the files of {relation['name']}",
                "no such column",
                "Make the column nullable in the contract, or run the task that writes the table again.",
            )
        columns.append(value.alias(name))
    return frame.select(*columns)


def literal(value: str | None | Sequence[str | None]) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"CAST(array({', '.join(literal(item) for item in value)}) AS array<string>)"


def text_relation(
    spark: SparkSession, names: Sequence[str], rows: Sequence[Sequence[Any]], types: Sequence[str] | None = None
) -> DataFrame:
    """A constant relation, without a Python worker behind it."""
    shown = [types[at] if types else "string" for at in range(len(names))]
    values = ", ".join(
        "(" + ", ".join(f"CAST({literal(value)} AS {kind})" for value, kind in zip(row, shown)) + ")" for row in rows
    )
    return spark.sql(f"SELECT * FROM VALUES {values}").toDF(*names)


def bind_inline(spark: SparkSession, relations: Sequence[Json]) -> None:
    for relation in relations:
        label = f"inline {relation['name']}"
        with statement(label):
            frame = materialised(inline_frame(spark, relation))
            frame.createOrReplaceTempView("`" + relation["name"].replace("`", "``") + "`")


def inline_frame(spark: SparkSession, relation: Json) -> DataFrame:
    columns = relation["columns"]
    if not relation["rows"]:
        return empty(spark, columns)
    found = [T.ArrayType(T.StringType()) if column["type"] == "text[]" else T.StringType() for column in columns]
    frame = text_relation(
        spark,
        [column["name"] for column in columns],
        relation["rows"],
        [kind.simpleString() for kind in found],
    )
    return frame.select(
        *[
            lossless_cast(quoted(column["name"]), kind, column["type"], column["name"]).alias(column["name"])
            for column, kind in zip(columns, found)
        ]
    )


def materialised(frame: DataFrame) -> DataFrame:
    """Computed now and only once: blocks that are lost with an executor fail the job in place of being computed to something else."""
    return frame.localCheckpoint(eager=True)


# Outputs


def check_columns(output: Json, found: Sequence[str]) -> None:
    declared = [column["name"] for column in output["columns"]]
    undeclared = [name for name in output["partitionBy"] if name not in declared]
    if set(found) == set(declared) and len(set(found)) == len(found) and not undeclared:
        return
    among = f" with partition columns {', '.join(output['partitionBy'])} among them" if output["partitionBy"] else ""
    raise terminal(
        f"output {output['name']}",
        f"columns {', '.join(declared)}{among}",
        ", ".join(found),
        "Make the select and the contract agree.",
    )


def folder_name(value: Column) -> Column:
    """A value as Spark can name a folder by it: an empty text would be taken for null."""
    return F.when((value == "") | value.startswith("%"), F.concat(F.lit("%"), value)).otherwise(value)


def folder_value(segment: str) -> str:
    value = unquote(segment.split("=", 1)[1])
    return value[1:] if value.startswith("%") else value


def output_frame(output: Json, frame: DataFrame) -> DataFrame:
    """Declared columns as they are stored, and the partition columns as texts that name folders."""
    found = {field.name: field.dataType for field in frame.schema.fields}
    columns = []
    for column in output["columns"]:
        name, to = column["name"], column["type"]
        value = lossless_cast(quoted(name), found[name], to, name)
        if name in output["partitionBy"]:
            missing = F.raise_error(F.lit(NO_PARTITION_MARK + name))
            columns.append(folder_name(F.coalesce(value.cast("string"), missing)).alias(name))
        elif to == "timestamp":
            columns.append(value.cast("timestamp_ntz").alias(name))
        else:
            columns.append(value.alias(name))
    return frame.select(*columns)


def rebalanced(spark: SparkSession, frame: DataFrame, by: Sequence[str]) -> DataFrame:
    """Rows of a partition together, in tasks of about the same size: small partitions share one, large ones are divided."""
    frame.createOrReplaceTempView("__written")
    names = ", ".join("`" + name.replace("`", "``") + "`" for name in by)
    return spark.sql(f"SELECT /*+ REBALANCE{f'({names})' if by else ''} */ * FROM __written")


def write_output(spark: SparkSession, files: Files, output: Json, max_file_bytes: int) -> list[Json]:
    """Writes one output and says what stands where."""
    label = f"output {output['name']}"
    frame = query(spark, label, output["select"])
    check_columns(output, frame.columns)
    location = output["location"].rstrip("/")
    with statement(label):
        files.remove(location)
        stored = rebalanced(spark, output_frame(output, frame), output["partitionBy"])
        writer = stored.write.mode("append")
        if output["partitionBy"]:
            writer = writer.partitionBy(*output["partitionBy"])
        writer.parquet(location)
        footers = bounded(spark, files, location, max_file_bytes, label)
    return written_partitions(output, location, footers)


def written_footers(files: Files, location: str, label: str) -> list[Footer]:
    names = [name for name in files.listed(location) if name.endswith(".parquet")]
    return files.footers([f"{location}/{name}" for name in names], lambda _: label, extremes=True)


def bounded(spark: SparkSession, files: Files, location: str, max_file_bytes: int, label: str) -> list[Footer]:
    """Spark bounds files by rows only: one that came out far too large is written again, in pieces."""
    footers = written_footers(files, location, label)
    large = [footer for footer in footers if footer.bytes > 1.5 * max_file_bytes and footer.rows > 1]
    for footer in large:
        pieces = -(-footer.bytes // max_file_bytes)
        rows = max(1, -(-footer.rows // pieces))
        folder = footer.location.rsplit("/", 1)[0]
        again = read(spark, footer.schema, [footer.location]).coalesce(1)
        again.write.mode("append").option("maxRecordsPerFile", rows).parquet(folder)
        files.remove(footer.location)
    return written_footers(files, location, label) if large else footers


def partition_of(output: Json, relative: str) -> dict[str, str]:
    return {
        name: folder_value(segment)
        for name, segment in zip(output["partitionBy"], relative.split("/")[:-1])
    }


def written_partitions(output: Json, location: str, footers: Sequence[Footer]) -> list[Json]:
    prefix = output["prefix"] if output["prefix"].endswith("/") else output["prefix"] + "/"
    groups: dict[str, list[Footer]] = {}
    for footer in footers:
        partition = partition_of(output, footer.location[len(location) + 1 :])
        groups.setdefault(json.dumps(partition, ensure_ascii=False, separators=(",", ":")), []).append(footer)
    found = []
    for partition, members in sorted(groups.items()):
        one = written_partition(output, json.loads(partition), members, prefix, location)
        check_nulls(output, one)
        found.append(one)
    return found


def written_partition(
    output: Json, partition: Mapping[str, str], members: Sequence[Footer], prefix: str, location: str
) -> dict[str, Any]:
    files = [
        {"key": prefix + footer.location[len(location) + 1 :], "bytes": footer.bytes, "rows": footer.rows}
        for footer in members
    ]
    return {
        "partition": partition,
        "files": sorted(files, key=lambda file: file["key"]),
        "rows": sum(footer.rows for footer in members),
        "bytes": sum(footer.bytes for footer in members),
        "columns": {column["name"]: column_statistics(column, partition, members) for column in output["columns"]},
    }


def column_statistics(column: Json, partition: Mapping[str, str], members: Sequence[Footer]) -> Json:
    name = column["name"]
    if name in partition:
        return {"nulls": 0, "min": partition[name], "max": partition[name]}
    parts = [footer.columns[name] for footer in members if name in footer.columns]
    if not parts:
        return {"nulls": 0, "min": None, "max": None}
    whole = parts[0]
    for part in parts[1:]:
        whole = merged(whole, part)
    return {
        "nulls": whole.nulls,
        "min": extreme_text(whole.low, column["type"]),
        "max": extreme_text(whole.high, column["type"]),
    }


def check_nulls(output: Json, written: Json) -> None:
    for column in output["columns"]:
        nulls = written["columns"][column["name"]]["nulls"]
        if column["nullable"] or nulls == 0 or column["type"] == "text[]":
            continue
        raise terminal(
            f"output {output['name']}",
            f"no null in {column['name']}",
            f"{nulls} nulls in {json.dumps(written['partition'])}",
            "Filter or fill them in the SQL, or declare the column nullable.",
        )


# Measures


def measured(value: Column, found: T.DataType) -> Column:
    """What is no text, boolean or text list leaves Spark as text, so that no number loses digits."""
    kept = (T.StringType, T.BooleanType, T.DoubleType)
    if isinstance(found, kept) or is_same_type(found, T.ArrayType(T.StringType())):
        return value
    return value.cast("string")


def measure(spark: SparkSession, one: Json) -> list[Json]:
    label = f"measure {one['name']}"
    frame = query(spark, label, one["sql"])
    fields = frame.schema.fields
    with statement(label):
        renamed = frame.toDF(*[f"c{at}" for at in range(len(fields))])
        rows = renamed.select(*[measured(F.col(f"c{at}"), field.dataType) for at, field in enumerate(fields)]).collect()
    return [{field.name: result_value(value, field.dataType) for field, value in zip(fields, row)} for row in rows]


def result_value(value: Any, found: T.DataType) -> Any:
    if value is None or not isinstance(found, (T.DoubleType, T.FloatType)):
        return value
    return number_text(value)


# Jobs


def run_job(spark: SparkSession, document: Json) -> Json:
    """The result of a job document (SqlJobResult). Throws JobError; a job that failed leaves no file under its prefixes."""
    job = document["job"]
    max_file_bytes = document.get("maxFileBytes", DEFAULT_MAX_FILE_BYTES)
    session = job_session(spark)
    files = Files(session)
    started = time.monotonic()
    try:
        scanned = bind_inputs(session, files, job["inputs"])
        bind_inline(session, job["inline"])
        for step in job["steps"]:
            label = f"step {step['name']}"
            frame = query(session, label, step["sql"])
            with statement(label):
                materialised(frame).createOrReplaceTempView("`" + step["name"].replace("`", "``") + "`")
        outputs = {one["name"]: write_output(session, files, one, max_file_bytes) for one in job["outputs"]}
        measures = {one["name"]: measure(session, one) for one in job["measures"]}
    except BaseException:
        for output in job["outputs"]:
            files.remove(output["location"])
        raise
    return {
        "outputs": outputs,
        "measures": measures,
        "engine": "spark",
        "bytesScanned": scanned,
        "durationMs": round((time.monotonic() - started) * 1000),
    }


def job_session(spark: SparkSession) -> SparkSession:
    """A session whose names no other job sees."""
    session = spark.newSession()
    # Expressions made from Python take their settings from the thread's session.
    session.sparkContext._jvm.org.apache.spark.sql.SparkSession.setActiveSession(session._jsparkSession)
    for name, value in SETTINGS.items():
        session.conf.set(name, value)
    hadoop = session.sparkContext._jsc.hadoopConfiguration()
    hadoop.set("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
    return session


# The job's folder: its document, the claim of the run that computes it, its result or error


class LocalFolder:
    def __init__(self, location: str) -> None:
        self.root = os.path.dirname(location)

    def read(self, name: str) -> bytes | None:
        try:
            with open(os.path.join(self.root, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def write(self, name: str, body: bytes) -> None:
        temporary = os.path.join(self.root, f".{name}.{os.getpid()}")
        with open(temporary, "wb") as file:
            file.write(body)
        os.replace(temporary, os.path.join(self.root, name))

    def create(self, name: str, body: bytes) -> bool:
        """False when it is there already."""
        temporary = os.path.join(self.root, f".{name}.{os.getpid()}.{time.monotonic_ns()}")
        with open(temporary, "xb") as file:
            file.write(body)
        try:
            os.link(temporary, os.path.join(self.root, name))
            return True
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary)


class S3Folder:
    def __init__(self, location: str) -> None:
        import boto3

        self.bucket, key = re.fullmatch(r"s3[an]?://([^/]+)/(.*)", location).groups()
        self.root = key.rsplit("/", 1)[0]
        self.client = boto3.client("s3")

    def read(self, name: str) -> bytes | None:
        try:
            return self.client.get_object(Bucket=self.bucket, Key=f"{self.root}/{name}")["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def write(self, name: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{self.root}/{name}", Body=body)

    def create(self, name: str, body: bytes) -> bool:
        """False when it is there already."""
        from botocore.exceptions import ClientError

        try:
            self.client.put_object(Bucket=self.bucket, Key=f"{self.root}/{name}", Body=body, IfNoneMatch="*")
            return True
        except ClientError as error:
            # 409: another write of the same key is under way and wins.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
                return False
            raise


Folder = LocalFolder | S3Folder


def open_folder(location: str) -> Folder:
    return S3Folder(location) if location.startswith("s3") else LocalFolder(location)


def encoded(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def glue_run_lives(job_name: str | None, run_id: str) -> bool:
    """Whether a run of this Glue job may still compute; outside of Glue the claim alone counts."""
    if job_name is None:
        return True
    import boto3

    glue = boto3.client("glue")
    try:
        run = glue.get_job_run(JobName=job_name, RunId=run_id)["JobRun"]
    except glue.exceptions.EntityNotFoundException:
        return False
    return run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING", "WAITING")


def claimed(folder: Folder, run_id: str, lives: Callable[[str], bool]) -> bool:
    """True when this run is the one that computes the job; a claim of a run that died is taken over."""
    if folder.create("claim.json", encoded({"runId": run_id})):
        return True
    body = folder.read("claim.json")
    holder = json.loads(body)["runId"] if body else run_id
    if holder == run_id:
        return True
    if folder.read("result.json") is not None or folder.read("error.json") is not None or lives(holder):
        return False
    folder.write("claim.json", encoded({"runId": run_id}))
    return True


def arguments(argv: Sequence[str]) -> dict[str, str]:
    """`--name value` and `--name=value`; names of Glue's own are kept with the rest."""
    found: dict[str, str] = {}
    at = 0
    while at < len(argv):
        name = argv[at]
        at += 1
        if not name.startswith("--"):
            continue
        if "=" in name:
            name, value = name.split("=", 1)
        elif at < len(argv) and not argv[at].startswith("--"):
            value = argv[at]
            at += 1
        else:
            value = ""
        found[name[2:]] = value
    return found


def compute(folder: Folder, name: str, open_session: Callable[[], SparkSession]) -> JobError | None:
    """Runs the job of a folder and leaves its result or its error there."""
    try:
        body = folder.read(name)
        if body is None:
            raise terminal(name, "a job document", "none", "Submit the job again.")
        folder.write("result.json", encoded(run_job(open_session(), json.loads(body))))
        return None
    except JobError as error:
        failed = error
    except Exception as error:
        failed = statement_error("runner", error)
    traceback.print_exception(failed)
    folder.write("error.json", encoded({"type": failed.kind, "message": str(failed), "facts": failed.facts}))
    return failed


def open_spark() -> SparkSession:
    return SparkSession.builder.appName("ingot").getOrCreate()


def main(argv: Sequence[str], open_session: Callable[[], SparkSession] = open_spark) -> JobError | None:
    """Runs the job unless another run does; gives why it failed."""
    given = arguments(argv)
    location = given["job"]
    run_id = given.get("JOB_RUN_ID") or f"local-{os.getpid()}"
    folder = open_folder(location)
    if not claimed(folder, run_id, lambda holder: glue_run_lives(given.get("JOB_NAME"), holder)):
        print(json.dumps({"state": "duplicate", "id": given.get("ingot-id")}))
        return None
    failed = compute(folder, location.rsplit("/", 1)[1], open_session)
    print(json.dumps({"state": "done" if failed is None else failed.kind, "id": given.get("ingot-id")}))
    return failed


if __name__ == "__main__":
    failure = main(sys.argv[1:])
    if failure is not None:
        # Status 1, and Glue shows the message as the reason.
        sys.exit(str(failure))
