import { TerminalError } from '../../ports/errors.ts';
import type { Account, OutputPartition, PublishRequest, RuleResult } from '../../ports/ledger.ts';
import { bind, covers, partitionName, textOf } from './selectors.ts';
import type { Layouts } from './selectors.ts';

export interface CheckedOutput extends OutputPartition {
  readonly partitionText: string;
}

const placeOf = (request: PublishRequest): string =>
  `run ${request.runId}, task ${request.taskId}, attempt ${request.attempt}`;

function failedRule(rule: RuleResult): string {
  return `rule ${rule.rule} failed for ${rule.failed} of ${rule.checked} in ${partitionName(rule.table, rule.partition)}`;
}

function unbalanced(account: Account): string | null {
  const sum = Object.values(account.parts).reduce((total, part) => total + part, 0);
  if (sum === account.read) return null;
  const parts = Object.entries(account.parts).map(([name, rows]) => `${name} ${rows}`);
  return `account ${partitionName(account.scope, account.partition)} read ${account.read} but accounts for ${sum} (${parts.join(', ')})`;
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** Why what was computed may never be seen, every reason at once; null when it may. Needs no look at the ledger. */
export function refusals(request: PublishRequest): TerminalError | null {
  const { rules, accounts, watermarks } = request.manifest;
  const reasons = [
    ...rules.filter((rule) => rule.severity === 'error' && rule.outcome === 'fail').map(failedRule),
    ...accounts.map(unbalanced).filter((reason) => reason !== null),
    ...repeated(accounts.map((account) => partitionName(account.scope, account.partition))).map(
      (name) => `account ${name} is given twice`,
    ),
    ...repeated(watermarks.map((watermark) => watermark.name)).map(
      (name) => `watermark ${name} is given twice`,
    ),
  ];
  if (reasons.length === 0) return null;
  return new TerminalError({
    place: placeOf(request),
    expected: 'every rule of severity error to hold and every row to be accounted for',
    found: reasons.join('; '),
    remedy: 'Nothing was published. Mend the data or the rule, then run again.',
  });
}

function refuse(request: PublishRequest, found: string, remedy: string): never {
  throw new TerminalError({
    place: placeOf(request),
    expected: 'every output partition once, and named as an output of the snapshot',
    found,
    remedy,
  });
}

/** Outputs with their partition texts, each of them covered by a part of the snapshot that is an output. */
export function checked(request: PublishRequest, layouts: Layouts): readonly CheckedOutput[] {
  const { snapshot, outputs } = request.manifest;
  const allowed = snapshot.parts
    .filter((part) => part.role === 'output')
    .map((part) => bind(layouts, part.selector));
  const texts = outputs.map((output) => textOf(layouts, output.table, output.partition));
  const names = outputs.map((output, index) => partitionName(output.table, texts[index]!));
  const twice = repeated(names);
  if (twice.length > 0)
    refuse(request, `${twice.join(', ')} twice`, 'Hand over each partition once, with all its files.');
  const outside = names.filter(
    (_, index) => !allowed.some((part) => covers(part, outputs[index]!.table, outputs[index]!.partition)),
  );
  if (outside.length > 0)
    refuse(
      request,
      `${outside.join(', ')} outside of it`,
      'Take the snapshot with these partitions as outputs before computing.',
    );
  const withFiles = names.filter((_, index) => outputs[index]!.removed && outputs[index]!.files.length > 0);
  if (withFiles.length > 0)
    refuse(request, `files in the removed ${withFiles.join(', ')}`, 'A removed partition has no files.');
  return outputs.map((output, index) => ({ ...output, partitionText: texts[index]! }));
}
