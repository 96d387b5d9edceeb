select day, source_file, line_number, coalesce(raw, id) as raw, reasons from rejected
