def column(name, kind, nullable=True):
    return {"name": name, "type": kind, "nullable": nullable}


EVERY_TYPE = [
    column("t", "text"),
    column("b", "boolean"),
    column("i", "int"),
    column("l", "bigint"),
    column("f", "double"),
    column("m", "decimal(18,2)"),
    column("x", "decimal(38,18)"),
    column("d", "date"),
    column("ts", "timestamp"),
    column("a", "text[]"),
]
