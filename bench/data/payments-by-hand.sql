-- What the payments pipeline computes for one ingest date, written by hand for DuckDB and run once: one pass over the CSV,
-- the same tables as files, no versions, no ledger, no second chance. :input, :output and :ingest_date are replaced before it runs. Unlike the pipeline it lets a record with one comma too many at its end pass: DuckDB's reader does.

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
    t.* exclude (amount_text, txn_ts_text),
    amount_text,
    txn_ts_text,
    case when amount_text ~ '^-?[0-9]+([.][0-9]{1,2})?$' then try_cast(amount_text as decimal(18, 2)) end as amount,
    case when txn_ts_text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?$'
      then cast(try_cast(txn_ts_text as timestamptz) as timestamp) end as txn_ts
  from (
    select
      regexp_replace(txn_id, '^\s+|\s+$', '', 'g') as txn_id,
      regexp_replace(merchant_id, '^\s+|\s+$', '', 'g') as merchant_id,
      regexp_replace(user_id, '^\s+|\s+$', '', 'g') as user_id,
      regexp_replace(amount, '^\s+|\s+$', '', 'g') as amount_text,
      upper(regexp_replace(currency, '^\s+|\s+$', '', 'g')) as currency,
      upper(regexp_replace(status, '^\s+|\s+$', '', 'g')) as status,
      regexp_replace(txn_ts, '^\s+|\s+$', '', 'g') as txn_ts_text,
      upper(regexp_replace(country, '^\s+|\s+$', '', 'g')) as country,
      [txn_id, merchant_id, user_id, amount, currency, status, txn_ts, country] as verbatim
    from ':output/raw.parquet'
  ) t
) to ':output/bronze.parquet' (format parquet, compression snappy);

create or replace temp view ranged as
select
  *,
  txn_ts >= cast(':ingest_date' as timestamp) - interval 7 day
    and txn_ts < cast(':ingest_date' as timestamp) + interval 1 day as in_range
from ':output/bronze.parquet';

create or replace temp table checked as
select
  txn_id, merchant_id, user_id, amount, currency, status, txn_ts, country, verbatim, copy_number,
  case when txn_id <> '' and copy_number > 1 then null else concat_ws(',',
    case when amount_text !~ '^-?[0-9]+([.][0-9]+)?$' then 'amount_not_a_number' end,
    case when amount_text ~ '^-?[0-9]+([.][0-9]+)?$' and not regexp_matches(amount_text, '[1-9]') or amount_text ~ '^-[0-9]+([.][0-9]+)?$' then 'amount_not_positive' end,
    case when amount_text ~ '^[0-9]+([.][0-9]+)?$' and try_cast(amount_text as double) > 1000000 then 'amount_out_of_range' end,
    case when amount_text ~ '^-?[0-9]+[.][0-9]{3,}$' then 'amount_too_precise' end,
    case when merchant_id = '' then 'missing_merchant_id' end,
    case when txn_id = '' then 'missing_txn_id' end,
    case when user_id = '' then 'missing_user_id' end,
    case when txn_ts is null then 'timestamp_malformed' end,
    case when not in_range then 'timestamp_out_of_range' end,
    case when currency not in ('AUD', 'BRL', 'CAD', 'EUR', 'GBP', 'INR', 'JPY', 'SGD', 'USD') then 'unknown_currency' end,
    case when status not in ('APPROVED', 'CHARGEBACK', 'DECLINED', 'PENDING', 'REFUNDED') then 'unknown_status' end
  ) end as reasons
from (
  select *, row_number() over (
    partition by txn_id
    order by coalesce(in_range, false) desc, case when in_range then txn_ts end desc,
      merchant_id desc, user_id desc, amount_text desc, currency desc, status desc, txn_ts_text desc, country desc
  ) as copy_number
  from ranged
);

create or replace temp table curated as
select
  c.txn_id, c.merchant_id, c.user_id, c.amount, c.currency, c.status, c.txn_ts, c.country,
  cast(c.txn_ts as date) as txn_date,
  cast(round(c.amount * r.rate, 2) as decimal(18, 2)) as amount_usd,
  hour(c.txn_ts) as txn_hour,
  c.status in ('REFUNDED', 'CHARGEBACK') as is_refund
from checked c
left join (
  select currency, valid_from, rate,
    lead(valid_from, 1, date '9999-12-31') over (partition by currency order by valid_from) as valid_to
  from read_csv(':rates', header = true, columns = {'currency': 'varchar', 'valid_from': 'date', 'rate': 'decimal(18, 8)'})
) r on r.currency = c.currency and cast(c.txn_ts as date) >= r.valid_from and cast(c.txn_ts as date) < r.valid_to
where c.reasons = '';

copy curated to ':output/curated' (format parquet, compression snappy, partition_by (txn_date));

copy (
  select cast(to_json(verbatim) as varchar) as raw, reasons from checked where reasons <> ''
  union all
  select csv_line, 'malformed_row' from (select distinct line_byte_position, csv_line from reject_errors)
) to ':output/audit.parquet' (format parquet, compression snappy);

copy (
  select reason, count(*) as rows
  from (select unnest(string_split(reasons, ',')) as reason from checked where reasons <> '') group by reason
  union all
  select 'duplicates', count(*) from checked where reasons is null
  union all
  select 'curated', count(*) from checked where reasons = ''
  union all
  select 'malformed_row', count(distinct line_byte_position) from reject_errors
) to ':output/metrics.parquet' (format parquet, compression snappy);

copy (
  select txn_date, currency, status, count(*) as count, sum(amount) as sum,
    cast(sum(cast(amount as decimal(38, 8))) / count(*) as decimal(18, 6)) as avg
  from curated group by txn_date, currency, status
) to ':output/daily_totals.parquet' (format parquet, compression snappy);

copy (
  select
    merchant_id, txn_date,
    coalesce(sum(amount_usd) filter (status = 'APPROVED'), 0) as gross,
    coalesce(sum(amount_usd) filter (status = 'APPROVED'), 0) - coalesce(sum(amount_usd) filter (is_refund), 0) as net,
    cast(count(*) filter (is_refund) / nullif(count(*) filter (status = 'APPROVED'), 0) as decimal(18, 6)) as refund_rate,
    cast(count(*) filter (status = 'DECLINED') / count(*) as decimal(18, 6)) as decline_rate,
    quantile_disc(amount_usd, 0.5) as p50,
    quantile_disc(amount_usd, 0.95) as p95,
    count(distinct user_id) as active_users
  from curated group by merchant_id, txn_date
) to ':output/merchant_kpis.parquet' (format parquet, compression snappy);
