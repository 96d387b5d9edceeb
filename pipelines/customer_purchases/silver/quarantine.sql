select
  ingestion_date,
  source_file,
  line_number,
  case
    when malformed then raw
    else cast(to_json(coalesce(
      verbatim,
      array[purchase_id, customer_id_text, first_name, last_name, email, purchased_at_text, amount_text, currency_text]
    )) as text)
  end as raw,
  reasons
from rejected
