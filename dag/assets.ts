import type { DataInterval, Timetable } from './interval.ts';
import { intervalContaining } from './interval.ts';
import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';

/** What a DAG waits for: an asset by its name, or several together. An asset is a published table or a plain name that tasks emit. */
export type AssetCondition =
  | { readonly asset: string }
  | { readonly all: readonly AssetCondition[] }
  | { readonly any: readonly AssetCondition[] };

/** A name, a contract (or anything else with a name), or a condition. */
export type AssetOption = string | { readonly name: string } | AssetCondition;

/** True once every one of these has an event for the interval. */
export function allOf(...assets: readonly AssetOption[]): AssetCondition {
  return { all: assets.map(condition) };
}

/** True once one of these has an event for the interval. */
export function anyOf(...assets: readonly AssetOption[]): AssetCondition {
  return { any: assets.map(condition) };
}

function condition(option: AssetOption): AssetCondition {
  if (typeof option === 'string') return { asset: option };
  if ('name' in option) return { asset: option.name };
  return option;
}

const assetName = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;

/** What is wrong with an asset's name. */
export function assetProblem(place: string, name: unknown): Problem | null {
  if (typeof name === 'string' && assetName.test(name) && name.length <= 200) return null;
  return problem(
    place,
    'an asset to be a table or a name of letters, digits, _ and -, in parts separated by dots',
    shown(name),
    "For example 'payments.curated'.",
  );
}

/** The condition that an option stands for; everything wrong with it is told to `problems`. */
export function assetCondition(option: AssetOption, place: string, problems: Problem[]): AssetCondition {
  const made = typeof option === 'object' && option !== null ? condition(option) : { asset: option };
  check(made, `${place}, schedule.assets`, problems);
  return made;
}

function check(of: AssetCondition, place: string, problems: Problem[]): void {
  if ('asset' in of) {
    const wrong = assetProblem(place, of.asset);
    if (wrong !== null) problems.push(wrong);
    return;
  }
  const parts: unknown = 'all' in of ? of.all : of.any;
  if (Array.isArray(parts) && parts.length > 0)
    for (const each of parts as AssetCondition[]) check(each, place, problems);
  else problems.push(problem(place, 'at least one asset', shown(of), 'Name the assets to wait for.'));
}

/** Names in a condition, sorted, each once. */
export function assetsIn(of: AssetCondition): readonly string[] {
  const names = (part: AssetCondition): readonly string[] =>
    'asset' in part ? [part.asset] : ('all' in part ? part.all : part.any).flatMap(names);
  return [...new Set(names(of))].sort();
}

/** Whether events of the assets in `seen` are enough. */
export function isSatisfied(of: AssetCondition, seen: ReadonlySet<string>): boolean {
  if ('asset' in of) return seen.has(of.asset);
  return 'all' in of
    ? of.all.every((part) => isSatisfied(part, seen))
    : of.any.some((part) => isSatisfied(part, seen));
}

export function conditionText(of: AssetCondition): string {
  if ('asset' in of) return of.asset;
  const [word, parts] = 'all' in of ? ['all of', of.all] : ['any of', of.any];
  return `${word} ${parts.map((part) => ('asset' in part ? part.asset : `(${conditionText(part)})`)).join(', ')}`;
}

/** When something happened, and to which date it belongs if it belongs to one. */
export interface DatedEvent {
  readonly at: string;
  /** Logical date of the run that caused it. */
  readonly logicalDate: string | null;
}

/**
 * The consumer's interval that an event asks for: the one that contains the logical date of its cause, or the moment it happened
 * when it has none. A pure function, so an event asks for the same interval however often it is looked at.
 */
export function intervalOfEvent({ schedule, timezone }: Timetable, event: DatedEvent): DataInterval {
  return intervalContaining(schedule, timezone, Date.parse(event.logicalDate ?? event.at));
}

/** Events that were read and not yet given to a run, by the interval they ask for. */
export interface WaitingEvents {
  readonly start: string;
  readonly end: string;
  readonly assets: readonly string[];
}

export interface DueEvents {
  /** To be given to a run each, oldest interval first. */
  readonly due: readonly WaitingEvents[];
  /** Intervals that are due as well, and cannot start now. */
  readonly held: readonly WaitingEvents[];
}

/**
 * Which intervals get a run: those whose events satisfy the condition. One whose run is under way gets its next one when that has
 * ended, with everything that came meanwhile; and no more start than there is room for.
 */
export function dueEvents(
  of: AssetCondition,
  waiting: readonly WaitingEvents[],
  isOpen: (interval: WaitingEvents) => boolean,
  room: number,
): DueEvents {
  const satisfied = waiting
    .filter(({ assets }) => isSatisfied(of, new Set(assets)))
    .toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const due = satisfied.filter((each) => !isOpen(each)).slice(0, Math.max(room, 0));
  const taken = new Set(due);
  return { due, held: satisfied.filter((each) => !taken.has(each)) };
}
