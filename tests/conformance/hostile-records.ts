/** Values that engines like to disagree on, in every text field in turn. */
const texts = [
  'ß',
  'İstanbul ı',
  'ΑΣ',
  'e\u0301\u0301',
  '👨‍👩‍👧',
  '𝒜',
  'שלום',
  '\u00A0padded\u3000',
  '\ttab\v',
  '',
  ' ',
  'back\\slash',
  "it's",
  'a/b',
  'x'.repeat(2000),
  '\u0001\u001F\u007F',
  '\u2028',
  'null',
  'NaN',
];
const amounts = [
  '0.01',
  '-0.00',
  '0',
  '00012.50',
  '1000000',
  '1000000.00',
  '1000000.01',
  '9999999999999999.99',
  '99999999999999999999',
  '1e3',
  '1,5',
  '.5',
  '5.',
  '+1',
  '1.005',
  '-12.5',
  ' 7.25 ',
  '0x10',
  'Infinity',
  '١٢',
];

function instants(date: string): readonly string[] {
  return [
    `${date}T00:00:00Z`,
    `${date} 23:59:59.999999`,
    `${date}T23:59:59.9999999Z`,
    `${date}T02:30:00+05:45`,
    `${date}T23:30:00-0930`,
    `${date}T24:00:00Z`,
    `${date}T12:00:60Z`,
    `${date}T12:00Z`,
    date,
    '2024-02-29T12:00:00Z',
    '2023-02-29T12:00:00Z',
    '2025-03-30T02:30:00+01:00',
    '2025-10-26T02:30:00+01:00',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999999Z',
    '10000-01-01T00:00:00Z',
    '1969-12-31T23:59:59.999Z',
    'infinity',
    'epoch',
    'now',
  ];
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function file(header: string, rows: readonly (readonly string[])[]): string {
  return [header, ...rows.map((row) => row.map(field).join(',')), ''].join('\n');
}

/** Each row is `usual` but for one value; every second one comes twice, with another amount. */
function variations(
  usual: readonly string[],
  columns: Readonly<Record<number, readonly string[]>>,
): readonly (readonly string[])[] {
  let row = 0;
  return Object.entries(columns).flatMap(([column, values]) =>
    values.flatMap((value) => {
      row += 1;
      const changed = usual.map((each, index) =>
        index === Number(column) ? value : index === 0 ? `${each}${row}` : each,
      );
      return row % 2 === 0 ? [changed, changed] : [changed];
    }),
  );
}

export function hostilePayments(date: string): string {
  const usual = ['H', 'm1', 'u1', '10.25', 'EUR', 'APPROVED', `${date}T10:00:00Z`, 'DE'];
  const columns = {
    0: texts,
    1: texts,
    2: texts,
    3: amounts,
    4: [...texts, 'eur', ' Eur '],
    5: [...texts, 'approved'],
    6: instants(date),
    7: texts,
  };
  return file('txn_id,merchant_id,user_id,amount,currency,status,txn_ts,country', variations(usual, columns));
}

export function hostilePurchases(date: string): string {
  const usual = ['H', '7', 'Ann', 'Lee', 'ann@example.com', `${date}T10:00:00Z`, '10.25', 'USD'];
  const emails = [...texts, 'ANN@EXAMPLE.COM', 'İ@x.tr', 'ß@x.de', 'a@b', 'a b@c.d', 'Ä@b.de', 'a@b.c\u00A0'];
  const columns = {
    0: texts,
    1: [...texts, '0', '-1', '2147483648', '007', '1.0'],
    2: texts,
    3: texts,
    4: emails,
    5: instants(date),
    6: amounts,
    7: [...texts, 'usd'],
  };
  return file(
    'purchase_id,customer_id,first_name,last_name,email,purchased_at,amount,currency',
    variations(usual, columns),
  );
}
