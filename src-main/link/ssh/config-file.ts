import { glob, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import SSHConfig, { type Line, type Section } from 'ssh-config';
import { codeOf, LinkConfigError } from '../errors.ts';
import { expandHome } from './identities.ts';
import { patternsMatch } from './known-hosts-file.ts';

/** What `Host` and `Match` lines are compared with. */
export interface ConfigQuery {
  /** As the user wrote it. */
  readonly alias: string;
  readonly user: string | undefined;
  readonly localUser: string;
}

/** Settings of ssh_config by lower-case name, each with all its values in the order they came. */
export type ConfigValues = ReadonlyMap<string, readonly string[]>;

/** ssh_config(5) allows no deeper nesting. */
const MAX_INCLUDE_DEPTH = 16;

interface Reading {
  readonly homeDir: string;
  /** Directory of the main file: relative includes start there. */
  readonly baseDir: string;
  /** Called for each directive outside of, or inside of a matching, section. */
  readonly onDirective: (name: string, words: readonly string[]) => void;
  /** Called for each `Host` line; whether its section applies. */
  readonly isHostActive: (patterns: readonly string[]) => boolean;
  /** Whether a `Match` section applies. */
  readonly isMatchActive: (criteria: Section) => boolean;
}

/**
 * The values that apply to a host. For single-valued settings the first counts, as in OpenSSH.
 * A missing file is an empty one. `Match exec` never applies: reading a configuration runs nothing.
 */
export async function readSshConfig(
  path: string,
  homeDir: string,
  query: ConfigQuery,
): Promise<ConfigValues> {
  const values = new Map<string, string[]>();
  const reading: Reading = {
    homeDir,
    baseDir: dirname(path),
    onDirective: (name, words) => {
      const list = values.get(name) ?? [];
      list.push(words.join(' '));
      values.set(name, list);
    },
    isHostActive: (patterns) => patternsMatch(patterns, query.alias),
    isMatchActive: (section) => matchApplies(section, query, values),
  };
  await walkFile(path, reading, { depth: 0, isActive: true });
  return values;
}

/** Every plain name on a `Host` line, in order, once; patterns are left out. */
export async function readHostNames(path: string, homeDir: string): Promise<string[]> {
  const names = new Set<string>();
  await walkFile(
    path,
    {
      homeDir,
      baseDir: dirname(path),
      onDirective: () => undefined,
      isHostActive: (patterns) => {
        for (const name of patterns) if (!/[*?!]/.test(name)) names.add(name);
        // Includes inside of any section are wanted here.
        return true;
      },
      isMatchActive: () => true,
    },
    { depth: 0, isActive: true },
  );
  return [...names];
}

interface Position {
  readonly depth: number;
  readonly isActive: boolean;
}

async function walkFile(path: string, reading: Reading, position: Position): Promise<void> {
  if (position.depth > MAX_INCLUDE_DEPTH) {
    throw configError(path, 'its includes are nested too deeply');
  }
  const text = await readIfThere(path);
  if (text === undefined) return;
  await walkLines(parse(path, text), reading, position);
}

async function walkLines(
  lines: readonly Line[],
  reading: Reading,
  position: Position,
): Promise<void> {
  for (const line of lines) {
    if (line.type !== SSHConfig.DIRECTIVE) continue;
    const name = line.param.toLowerCase();
    const words = wordsOf(line.value);
    if ('config' in line) {
      const applies = name === 'host' ? reading.isHostActive(words) : reading.isMatchActive(line);
      await walkLines(line.config, reading, {
        ...position,
        isActive: position.isActive && applies,
      });
    } else if (name === 'include') {
      await walkIncludes(words, reading, position);
    } else if (position.isActive) {
      reading.onDirective(name, words);
    }
  }
}

async function walkIncludes(
  patterns: readonly string[],
  reading: Reading,
  position: Position,
): Promise<void> {
  if (!position.isActive) return;
  for (const pattern of patterns) {
    const expanded = expandHome(pattern, reading.homeDir);
    const absolute = isAbsolute(expanded) ? expanded : join(reading.baseDir, expanded);
    const files: string[] = [];
    for await (const file of glob(absolute)) files.push(file);
    for (const file of files.sort()) {
      await walkFile(file, reading, { ...position, depth: position.depth + 1 });
    }
  }
}

function matchApplies(section: Section, query: ConfigQuery, values: ConfigValues): boolean {
  if (!('criteria' in section)) return false;
  const criteria = Object.entries((section as Section & MatchCriteria).criteria);
  return criteria.every(([criterion, value]) => {
    const patterns = wordsOf(value).flatMap((word) => word.split(','));
    switch (criterion.toLowerCase()) {
      case 'all':
        return true;
      case 'host':
        return patternsMatch(patterns, values.get('hostname')?.[0] ?? query.alias);
      case 'originalhost':
        return patternsMatch(patterns, query.alias);
      case 'user':
        return patternsMatch(patterns, query.user ?? values.get('user')?.[0] ?? query.localUser);
      case 'localuser':
        return patternsMatch(patterns, query.localUser);
      default:
        // exec, canonical, final, tagged…: not evaluated here.
        return false;
    }
  });
}

interface MatchCriteria {
  criteria: Record<string, string | { val: string }[]>;
}

function wordsOf(value: string | readonly { val: string }[]): string[] {
  if (typeof value !== 'string') return value.map((word) => word.val);
  return value.trim() === '' ? [] : value.trim().split(/[ \t]+/);
}

function parse(path: string, text: string): Line[] {
  try {
    return SSHConfig.parse(text);
  } catch (error) {
    throw configError(path, 'it is not understood', error);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw configError(path, `it cannot be read (${codeOf(error)})`, error);
  }
}

function configError(path: string, why: string, cause?: unknown): LinkConfigError {
  return new LinkConfigError(
    'link/config',
    `The SSH configuration in ${path} cannot be used: ${why}.`,
    {
      ...(cause === undefined ? {} : { cause }),
      retry: 'after-user-action',
      details: { file: path },
    },
  );
}
