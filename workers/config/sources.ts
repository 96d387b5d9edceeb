import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { nearest } from './nearest.ts';
import { authSetting, caSetting, connectionSetting, settings, wellKnownConnections } from './settings.ts';
import type { Setting } from './setting-types.ts';

export interface ConfigInputs {
  /** Values of command-line flags by name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
}

/** A value as it was given, and where. */
export interface Given {
  readonly value: unknown;
  readonly origin: string;
  /** What a relative path is relative to. */
  readonly base: string;
}

export interface ConfigFile {
  readonly path: string;
  readonly values: ReadonlyMap<string, unknown>;
}

/** The nearest folder upwards that is a project, or `folder` itself. */
export function projectFolder(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, 'ingot.toml')) || existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return resolve(folder);
  }
}

function flatten(value: unknown, prefix: string, into: Map<string, unknown>): Map<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date))
    for (const [name, item] of Object.entries(value))
      flatten(item, prefix === '' ? name : `${prefix}.${name}`, into);
  else into.set(prefix, value);
  return into;
}

/** Reads the configuration file, named or found; null when there is none. */
export function readConfigFile(inputs: ConfigInputs, problems: string[]): ConfigFile | null {
  const named = inputs.flags['config'] ?? inputs.env['INGOT_CONFIG'];
  const path = named ? resolve(inputs.folder, named) : join(projectFolder(inputs.folder), 'ingot.toml');
  if (!existsSync(path)) {
    if (named)
      problems.push(
        `${path}: expected the configuration file named by ${inputs.flags['config'] ? '--config' : 'INGOT_CONFIG'}; found no such file`,
      );
    return null;
  }
  try {
    return { path, values: flatten(parse(readFileSync(path, 'utf8')), '', new Map()) };
  } catch (error) {
    const place = error instanceof TomlError ? `:${error.line}:${error.column}` : '';
    problems.push(`${path}${place}: expected TOML; found ${(error as Error).message.split('\n')[0]}`);
    return null;
  }
}

export function given(setting: Setting, inputs: ConfigInputs, file: ConfigFile | null): Given | null {
  const flag = setting.flag === undefined ? undefined : inputs.flags[setting.flag];
  if (flag !== undefined) return { value: flag, origin: `--${setting.flag}`, base: inputs.folder };
  const variable = inputs.env[setting.env];
  if (variable !== undefined && variable !== '')
    return { value: variable, origin: setting.env, base: inputs.folder };
  const value = file?.values.get(setting.key);
  return file === null || value === undefined
    ? null
    : { value, origin: `${file.path} (${setting.key})`, base: dirname(file.path) };
}

const connectionKey = /^connections\.([a-z][a-z0-9_]*)\.(url|url_env|ca|auth)$/;

/** Names of all connections that flags, environment or file speak of. */
export function connectionNames(file: ConfigFile | null): string[] {
  const named = [...(file?.values.keys() ?? [])]
    .map((key) => connectionKey.exec(key)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set([...wellKnownConnections, ...named])];
}

/** `url_env = "NAME"` says the same as `url = "env:NAME"`. */
export function givenConnection(name: string, inputs: ConfigInputs, file: ConfigFile | null): Given | null {
  const direct = given(connectionSetting(name), inputs, file);
  if (direct !== null || file === null) return direct;
  const key = `connections.${name}.url_env`;
  const variable = file.values.get(key);
  return variable === undefined
    ? null
    : {
        value: typeof variable === 'string' ? `env:${variable}` : variable,
        origin: `${file.path} (${key})`,
        base: dirname(file.path),
      };
}

/** Names nobody reads: every unknown key of the file, and INGOT_ variables one slip away from a known one. */
export function unknownNames(inputs: ConfigInputs, file: ConfigFile | null): string[] {
  const keys: string[] = Object.values(settings).map((setting) => setting.key);
  const unknownKeys = [...(file?.values.keys() ?? [])].filter(
    (key) => !keys.includes(key) && !connectionKey.test(key),
  );
  const variables: string[] = [
    ...Object.values(settings).map((setting) => setting.env),
    ...wellKnownConnections.flatMap((name) =>
      [connectionSetting, caSetting, authSetting].map((setting) => setting(name).env),
    ),
    'INGOT_CONFIG',
    'INGOT_CACHE',
  ];
  const slips = Object.keys(inputs.env).filter(
    (name) => name.startsWith('INGOT_') && !variables.includes(name),
  );
  return [
    ...unknownKeys.map(
      (key) =>
        `${file?.path} (${key}): expected a setting; found an unknown name${meant(nearest(key, keys))}`,
    ),
    ...slips
      .map((name) => ({ name, known: nearest(name, variables, 2) }))
      .filter(({ known }) => known.length > 0)
      .map(({ name, known }) => `${name}: expected a setting; found an unknown variable${meant(known)}`),
  ];
}

function meant(names: readonly string[]): string {
  return names.length === 0 ? '' : `; did you mean ${names.join(' or ')}?`;
}
