/** An exact decimal: `units / 10^scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** `-?digits(.digits)?` in ASCII digits, else null. */
export function decimalOf(text: string): Decimal | null {
  const match = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (match === null) return null;
  const decimals = match[3] ?? '';
  const units = BigInt(match[2]! + decimals);
  return { units: match[1] === '-' ? -units : units, scale: decimals.length };
}

export function times(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

export function plus(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { units: scaled(a, scale) + scaled(b, scale), scale };
}

export function sum(values: readonly Decimal[]): Decimal {
  return values.reduce(plus, { units: 0n, scale: 2 });
}

export function negated(value: Decimal): Decimal {
  return { units: -value.units, scale: value.scale };
}

export function compareDecimals(a: Decimal, b: Decimal): number {
  const difference = plus(a, negated(b)).units;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Rounded to `scale` decimals, halves away from zero. */
export function rounded(value: Decimal, scale: number): Decimal {
  return { units: divided(value.units * 10n ** BigInt(scale), 10n ** BigInt(value.scale)), scale };
}

/** `value / count` with `scale` decimals, halves away from zero. */
export function quotient(value: Decimal, count: number, scale: number): Decimal {
  return {
    units: divided(value.units * 10n ** BigInt(scale), 10n ** BigInt(value.scale) * BigInt(count)),
    scale,
  };
}

function scaled(value: Decimal, scale: number): bigint {
  return value.units * 10n ** BigInt(scale - value.scale);
}

function divided(numerator: bigint, denominator: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const result = (2n * magnitude + denominator) / (2n * denominator);
  return numerator < 0n ? -result : result;
}

export function decimalText({ units, scale }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}

/** Rates by currency from a CSV of `currency,valid_from,rate`. */
export class RateTable {
  private readonly rates: readonly { currency: string; validFrom: string; rate: Decimal }[];

  constructor(csv: string) {
    const [header, ...lines] = csv.trim().split(/\r?\n/);
    if (header !== 'currency,valid_from,rate')
      throw new Error(`Expected the header currency,valid_from,rate, found ${header}.`);
    this.rates = lines.map((line) => {
      const [currency, validFrom, rate] = line.split(',');
      return { currency: currency!, validFrom: validFrom!, rate: decimalOf(rate!)! };
    });
  }

  /** The latest rate that was valid on `date`. */
  on(date: string, currency: string): Decimal {
    const known = this.rates.filter((row) => row.currency === currency && row.validFrom <= date);
    if (known.length === 0) throw new Error(`Expected a rate of ${currency} on ${date}, found none.`);
    return known.reduce((a, b) => (b.validFrom > a.validFrom ? b : a)).rate;
  }
}
