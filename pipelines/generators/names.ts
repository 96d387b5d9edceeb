import { Faker, ar, de, en, es, fr, he, ja, ko, pl, ru, uk, vi, zh_CN } from '@faker-js/faker';
import type { LocaleDefinition } from '@faker-js/faker';

/** Names of one language, and addresses for anybody. */
export interface NamePool {
  readonly first: readonly string[];
  readonly last: readonly string[];
}

export interface PeoplePools {
  readonly names: readonly NamePool[];
  readonly mailboxes: readonly string[];
  readonly domains: readonly string[];
}

const locales: readonly LocaleDefinition[] = [en, en, de, es, fr, pl, vi, ru, uk, ja, zh_CN, ko, ar, he];
const namesPerLocale = 120;

/** Faker's names for a seed. Made once per generation: rows only pick from them. */
export function peoplePools(seed: number): PeoplePools {
  const names = locales.map((locale, index) => {
    const faker = new Faker({ locale: [locale, en], seed: seed + index });
    return {
      first: pool(() => faker.person.firstName()),
      last: pool(() => faker.person.lastName()),
    };
  });
  const faker = new Faker({ locale: [en], seed });
  return {
    names,
    mailboxes: pool(() => faker.internet.username().toLowerCase()),
    domains: pool(() => faker.internet.domainName()),
  };
}

/** Texts that need no quotes in CSV, in Unicode's composed form. */
function pool(make: () => string): string[] {
  return Array.from({ length: namesPerLocale }, () =>
    make()
      .normalize('NFC')
      .replaceAll(/[",\s]+/g, ' ')
      .trim(),
  ).filter((text) => text !== '');
}
