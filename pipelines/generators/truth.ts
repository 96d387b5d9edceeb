/** `read = curated + audit + duplicates + superseded`, for one ingest date. */
export interface Account {
  readonly read: number;
  readonly curated: number;
  readonly audit: number;
  readonly duplicates: number;
  readonly superseded: number;
}

/** Counts what the generator knows of the file it is writing. */
export class Tally {
  readonly dirt: Record<string, number> = {};
  readonly reasons: Record<string, number> = {};
  private readonly account = { read: 0, curated: 0, audit: 0, duplicates: 0, superseded: 0 };

  seen(kind: string): void {
    this.dirt[kind] = (this.dirt[kind] ?? 0) + 1;
  }

  /** `deliveries` of a record with a key leave one; of a record without one each stays. */
  settled(
    verdict: 'kept' | 'duplicate' | 'superseded',
    reasons: readonly string[],
    keyed: boolean,
    deliveries: number,
  ): void {
    this.account.read += deliveries;
    if (verdict === 'superseded') {
      this.account.superseded += deliveries;
      return;
    }
    const staying = verdict === 'duplicate' ? 0 : keyed ? 1 : deliveries;
    this.account.duplicates += deliveries - staying;
    if (staying === 0) return;
    if (reasons.length === 0) this.account.curated += staying;
    else this.account.audit += staying;
    for (const reason of reasons) this.reasons[reason] = (this.reasons[reason] ?? 0) + staying;
  }

  total(): Account {
    return { ...this.account };
  }
}
