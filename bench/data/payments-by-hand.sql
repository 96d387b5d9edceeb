-- What the payments pipeline computes for one ingest date, written by hand for DuckDB and run once: one pass over the CSV, then the
-- same statements as the pipeline's, with the same files as results; no versions, no ledger, no second chance.
-- :input, :output, :rates and :ingest_date are replaced before it runs. Unlike the pipeline it lets a record with one comma too many at
-- its end pass, as DuckDB's reader does, and does not know the lines of records.

copy (
  select * from read_csv(
    ':input', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', all_varchar = true,
    nullstr = 'no text is null', store_rejects = true, rejects_limit = 0, max_line_size = 16000000,
    columns = {
      'txn_id': 'varchar', 'merchant_id': 'varchar', 'user_id': 'varchar', 'amount': 'varchar',
      'currency': 'varchar', 'status': 'varchar', 'txn_ts': 'varchar', 'country': 'varchar'
    })
) to ':output/raw.parquet' (format parquet, compression snappy);

copy (
  select
    t.* exclude (amount_text, txn_ts_text, verbatim),
    upper(currency_text) as currency,
    upper(status_text) as status,
    upper(country_text) as country,
    amount_text,
    txn_ts_text,
    case when amount_text ~ '^-?[0-9]+([.][0-9]{1,2})?$' then try_cast(amount_text as decimal(18, 2)) end as amount,
    case when txn_ts_text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?$'
      then cast(try_cast(txn_ts_text as timestamptz) as timestamp) end as txn_ts,
    case when [txn_id, merchant_id, user_id, amount_text, currency_text, status_text, txn_ts_text, country_text] <> verbatim
      then verbatim end as verbatim
  from (
    select
      trim(txn_id, e' \t\r\n') as txn_id,
      trim(merchant_id, e' \t\r\n') as merchant_id,
      trim(user_id, e' \t\r\n') as user_id,
      trim(amount, e' \t\r\n') as amount_text,
      trim(currency, e' \t\r\n') as currency_text,
      trim(status, e' \t\r\n') as status_text,
      trim(txn_ts, e' \t\r\n') as txn_ts_text,
      trim(country, e' \t\r\n') as country_text,
      [txn_id, merchant_id, user_id, amount, currency, status, txn_ts, country] as verbatim
    from ':output/raw.parquet'
  ) t
) to ':output/bronze.parquet' (format parquet, compression snappy);

create or replace temp view own as
select
  *,
  coalesce(
    txn_ts >= cast(':ingest_date' as timestamp) - interval 7 day
      and txn_ts < cast(':ingest_date' as timestamp) + interval 1 day,
    false) as in_range
from read_parquet(':output/bronze.parquet', file_row_number = true);

create or replace temp table repeated as
select txn_id from own where txn_id <> '' group by txn_id having count(*) > 1;

create or replace temp table dropped as
select file_row_number
from (
  select file_row_number, row_number() over (
    partition by txn_id
    order by in_range desc, case when in_range then txn_ts end desc,
      merchant_id desc, user_id desc, amount_text desc, currency_text desc, status_text desc, txn_ts_text desc, country_text desc,
      file_row_number
  ) as copy_number
  from own semi join repeated using (txn_id)
)
where copy_number > 1;

create or replace temp table rejected as
select *
from (
  select *, concat_ws(',',
    case when amount_text !~ '^-?[0-9]+([.][0-9]+)?$' then 'amount_not_a_number' end,
    case when amount_text ~ '^-?[0-9]+([.][0-9]+)?$'
      and (amount_text ~ '^-.*' or not regexp_matches(amount_text, '[1-9]')) then 'amount_not_positive' end,
    case when amount_text ~ '^[0-9]+([.][0-9]+)?$' and coalesce(amount, try_cast(amount_text as double)) > 1000000
      then 'amount_out_of_range' end,
    case when amount_text ~ '^-?[0-9]+[.][0-9]{3,}$' then 'amount_too_precise' end,
    case when merchant_id = '' then 'missing_merchant_id' end,
    case when txn_id = '' then 'missing_txn_id' end,
    case when user_id = '' then 'missing_user_id' end,
    case when txn_ts is null then 'timestamp_malformed' end,
    case when txn_ts is not null and not in_range then 'timestamp_out_of_range' end,
    case when currency not in ('AUD', 'BRL', 'CAD', 'EUR', 'GBP', 'INR', 'JPY', 'SGD', 'USD') then 'unknown_currency' end,
    case when status not in ('APPROVED', 'CHARGEBACK', 'DECLINED', 'PENDING', 'REFUNDED') then 'unknown_status' end
  ) as reasons
  from own
)
where reasons <> '' and file_row_number not in (select file_row_number from dropped);

create or replace temp table excluded as
select file_row_number from dropped union all select file_row_number from rejected;

copy (
  select
    o.txn_id, o.merchant_id, o.user_id, o.amount, o.currency, o.status, o.txn_ts, o.country,
    cast(o.txn_ts as date) as txn_date,
    cast(round(o.amount * r.rate, 2) as decimal(18, 2)) as amount_usd,
    hour(o.txn_ts) as txn_hour,
    o.status in ('REFUNDED', 'CHARGEBACK') as is_refund
  from own o
  anti join excluded using (file_row_number)
  left join (
    select currency, valid_from, rate,
      lead(valid_from, 1, date '9999-12-31') over (partition by currency order by valid_from) as valid_to
    from read_csv(':rates', header = true, columns = {'currency': 'varchar', 'valid_from': 'date', 'rate': 'decimal(9, 6)'})
  ) r on r.currency = o.currency and cast(o.txn_ts as date) >= r.valid_from and cast(o.txn_ts as date) < r.valid_to
) to ':output/curated' (format parquet, compression snappy, partition_by (txn_date));

copy (
  select
    cast(to_json(coalesce(verbatim, [txn_id, merchant_id, user_id, amount_text, currency_text, status_text, txn_ts_text, country_text])) as varchar) as raw,
    reasons
  from rejected
  union all
  select csv_line, 'malformed_row' from (select distinct line_byte_position, csv_line from reject_errors)
) to ':output/audit.parquet' (format parquet, compression snappy);

copy (
  select reason, count(*) as rows from (select unnest(string_split(reasons, ',')) as reason from rejected) group by reason
  union all
  select 'malformed_row', count(distinct line_byte_position) from reject_errors
  union all
  select 'duplicates', count(*) from dropped
) to ':output/reasons.parquet' (format parquet, compression snappy);

copy (
  select
    count(*) as rows_read,
    count(*) filter (x.file_row_number is null) as curated,
    count(*) filter (x.file_row_number is null and cast(txn_ts as date) < date ':ingest_date') as late,
    count(*) filter (length(country) <> 2) as unknown_country,
    count(*) filter (txn_id = '') as no_txn_id,
    count(*) filter (merchant_id = '') as no_merchant_id,
    count(*) filter (user_id = '') as no_user_id,
    count(*) filter (amount_text = '') as no_amount,
    count(*) filter (currency = '') as no_currency,
    count(*) filter (status = '') as no_status,
    count(*) filter (txn_ts_text = '') as no_txn_ts,
    count(*) filter (country = '') as no_country
  from own left join excluded x using (file_row_number)
) to ':output/metrics.parquet' (format parquet, compression snappy);

copy (
  select txn_date, currency, status, count(*) as count, sum(amount) as sum,
    cast(sum(cast(amount as decimal(38, 8))) / count(*) as decimal(18, 6)) as avg
  from ':output/curated/*/*.parquet' group by txn_date, currency, status
) to ':output/daily_totals.parquet' (format parquet, compression snappy);

copy (
  select
    m.*,
    u.active_users
  from (
    select
      merchant_id, txn_date,
      coalesce(sum(amount_usd) filter (status = 'APPROVED'), 0) as gross,
      coalesce(sum(amount_usd) filter (status = 'APPROVED'), 0) - coalesce(sum(amount_usd) filter (is_refund), 0) as net,
      cast(count(*) filter (is_refund) / nullif(count(*) filter (status = 'APPROVED'), 0) as decimal(18, 6)) as refund_rate,
      cast(count(*) filter (status = 'DECLINED') / count(*) as decimal(18, 6)) as decline_rate,
      quantile_disc(amount_usd, 0.5) as p50,
      quantile_disc(amount_usd, 0.95) as p95
    from ':output/curated/*/*.parquet' group by merchant_id, txn_date
  ) m
  join (
    select merchant_id, txn_date, count(*) as active_users
    from (select distinct merchant_id, txn_date, user_id from ':output/curated/*/*.parquet')
    group by merchant_id, txn_date
  ) u using (merchant_id, txn_date)
) to ':output/merchant_kpis.parquet' (format parquet, compression snappy);
