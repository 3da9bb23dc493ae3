import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src-main/hosts/cli/errors.ts';
import { parseDestination } from '../../../src-main/hosts/cli/parse/destination.ts';
import { parseMount } from '../../../src-main/hosts/cli/parse/mount.ts';
import {
  parseEnvFile,
  parseLabelChange,
  parsePair,
} from '../../../src-main/hosts/cli/parse/pairs.ts';
import { settingValue } from '../../../src-main/hosts/cli/parse/setting.ts';
import { parseFetch, parseSync } from '../../../src-main/hosts/cli/parse/task-folder.ts';
import { parseSince } from '../../../src-main/hosts/cli/parse/since.ts';
import { parseSignal, parseStatuses } from '../../../src-main/hosts/cli/parse/words.ts';

describe('a destination', () => {
  test.each([
    ['host', { host: 'host' }],
    ['root@host', { host: 'host', user: 'root' }],
    ['root@host:2222', { host: 'host', user: 'root', port: 2222 }],
    ['10.0.0.1:22', { host: '10.0.0.1', port: 22 }],
    ['fd00::1', { host: 'fd00::1' }],
    ['[fd00::1]', { host: 'fd00::1' }],
    ['me@[fd00::1]:2222', { host: 'fd00::1', user: 'me', port: 2222 }],
    ['ssh://me@host:2222/', { host: 'host', user: 'me', port: 2222 }],
    ['SSH://host', { host: 'host' }],
  ])('%s', (text, expected) => {
    expect(parseDestination(text)).toEqual(expected);
  });

  test.each([
    '',
    '@host',
    'host:',
    'host:abc',
    'host:0',
    'host:70000',
    '-oProxyCommand=x',
    'a b',
    '[fd00::1',
    'a:1:2',
    '[host]:22',
    'me@',
  ])('refuses "%s"', (text) => {
    expect(() => parseDestination(text)).toThrow(UsageError);
  });

  test('any port and user survive', () => {
    const user = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/);
    fc.assert(
      fc.property(user, fc.ipV6(), fc.integer({ min: 1, max: 65_535 }), (name, address, port) => {
        const host = address.toLowerCase();
        expect(parseDestination(`${name}@[${host}]:${port}`)).toEqual({ host, user: name, port });
      }),
    );
  });
});

describe('pairs', () => {
  test('everything after the first = is the value', () => {
    expect(parsePair('A=b=c=')).toEqual(['A', 'b=c=']);
    expect(parsePair('A=')).toEqual(['A', '']);
  });

  test.each(['A', '=b', ''])('refuses "%s"', (text) => {
    expect(() => parsePair(text)).toThrow(UsageError);
  });

  test('a label is set or removed', () => {
    expect(parseLabelChange('team=a')).toEqual(['team', 'a']);
    expect(parseLabelChange('team=')).toEqual(['team', null]);
    expect(parseLabelChange('team-')).toEqual(['team', null]);
  });

  test('a file of variables is taken as it is', () => {
    const text = '# note\nA=1\r\n\n  B= two words \nC="quoted"\n';
    expect(parseEnvFile(text, 'x.env')).toEqual({ A: '1', B: ' two words ', C: '"quoted"' });
  });

  test('a wrong line is named, and not shown: it may be a secret', () => {
    expect(() => parseEnvFile('A=1\nhunter2\n', 'x.env')).toThrow(
      'Line 2 of x.env is not of the form NAME=VALUE.',
    );
  });
});

describe('a mount', () => {
  test.each([
    ['/a:/b', { source: '/a', destination: '/b', readOnly: false }],
    ['/a:/b:ro', { source: '/a', destination: '/b', readOnly: true }],
    ['/a b:/c:rw', { source: '/a b', destination: '/c', readOnly: false }],
  ])('%s', (text, expected) => {
    expect(parseMount(text)).toEqual(expected);
  });

  test.each(['/a', 'a:/b', '/a:b', '/a:/b:x', ''])('refuses "%s"', (text) => {
    expect(() => parseMount(text)).toThrow(UsageError);
  });
});

describe('folders that go with a task', () => {
  test('which is here and which is on the node', () => {
    expect(parseSync('.:/srv/p')).toEqual({ from: '.', to: '/srv/p' });
    expect(parseSync('a:b:~/p')).toEqual({ from: 'a:b', to: '~/p' });
    expect(parseFetch('/srv/out:C:\\out')).toEqual({ from: '/srv/out', to: 'C:\\out' });
  });

  test.each(['', '.', '.:', '.:p', ':/srv', '/srv:/a:'])('"%s" says neither', (text) => {
    expect(() => parseSync(text)).toThrow(UsageError);
  });

  test.each(['', 'out:res', '/out', '/out:', ':res'])('"%s" brings nothing back', (text) => {
    expect(() => parseFetch(text)).toThrow(UsageError);
  });
});

describe('a time to begin at', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');

  test('how long ago', () => {
    expect(parseSince('10m', now)).toBe(now - 600_000);
  });

  test('an instant', () => {
    expect(parseSince('2026-03-01T11:00:00Z', now)).toBe(now - 3_600_000);
  });

  test.each(['yesterday', '2026-99-99', ''])('refuses "%s"', (text) => {
    expect(() => parseSince(text, now)).toThrow(UsageError);
  });
});

describe('words', () => {
  test('signals, with or without SIG', () => {
    expect(['TERM', 'sigint', 'SIGKILL'].map(parseSignal)).toEqual([
      'SIGTERM',
      'SIGINT',
      'SIGKILL',
    ]);
    expect(() => parseSignal('SEGV')).toThrow(UsageError);
  });

  test('statuses, in any case', () => {
    expect(parseStatuses('running,killed-oom')).toEqual(['RUNNING', 'KILLED_OOM']);
    expect(() => parseStatuses('running,done')).toThrow('"done" is not a status');
  });
});

describe('a setting', () => {
  test.each([
    ['5', { type: 'integer' }, 5],
    ['true', { type: 'boolean' }, true],
    ['null', { anyOf: [{ type: 'string' }, { type: 'null' }] }, null],
    ['12', { anyOf: [{ type: 'string' }, { type: 'null' }] }, '12'],
    ['debian:12', { type: 'string' }, 'debian:12'],
    // What does not fit is left to the core to refuse.
    ['many', { type: 'integer' }, 'many'],
  ])('"%s"', (word, schema, expected) => {
    expect(settingValue(word, { schema })).toBe(expected);
  });
});
