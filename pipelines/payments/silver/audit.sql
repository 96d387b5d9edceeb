select
  ingest_date,
  source_file,
  line_number,
  case
    when malformed then raw
    else cast(to_json(coalesce(
      verbatim,
      array[txn_id, merchant_id, user_id, amount_text, currency_text, status_text, txn_ts_text, country_text]
    )) as text)
  end as raw,
  reasons
from rejected
