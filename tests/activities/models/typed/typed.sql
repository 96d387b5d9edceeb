select * from cast_rows
