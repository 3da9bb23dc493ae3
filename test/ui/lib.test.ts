import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RemoteError, RequestError } from '../../src-main/contract/errors.ts';
import { errorCodes } from '../../src-main/contract/error-codes.ts';
import { parseArray } from '../../src-main/hosts/cli/parse/array.ts';
import { parseDuration } from '../../src-main/domain/duration.ts';
import { arrayText, parseArrayText } from '../../src-renderer/lib/array-text.ts';
import { parseSeconds, secondsText } from '../../src-renderer/lib/duration-text.ts';
import { localMinute, parseLocalMinute } from '../../src-renderer/lib/local-minute.ts';
import { cliLine } from '../../src-renderer/lib/cli-line.ts';
import {
  formatAgo,
  formatBytes,
  formatDuration,
  plural,
  shortId,
} from '../../src-renderer/lib/format.ts';
import { LogRecords } from '../../src-renderer/lib/log-records.ts';
import { toProblem } from '../../src-renderer/lib/problem.ts';
import { settingField } from '../../src-renderer/lib/setting-field.ts';
import { joinWords, looksLikeShell, splitWords } from '../../src-renderer/lib/shell-words.ts';
import { parseSize, sizeText } from '../../src-renderer/lib/sizes.ts';
import {
  destinationText,
  parseDestination,
  parseHostLine,
} from '../../src-renderer/lib/ssh-line.ts';
import { parseTarget, targetText } from '../../src-renderer/lib/target-text.ts';
import { advice } from '../../src-renderer/lib/texts/advice.ts';
import { href, parseHash } from '../../src-renderer/lib/address.ts';

describe('numbers and times', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [8 * 2 ** 30, '8 GiB'],
    [150 * 2 ** 30, '150 GiB'],
  ])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [900, '0 s'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h'],
    [90_061_000, '1 d 1 h'],
  ])('%i ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  test('says how long ago, and never in the future', () => {
    expect([formatAgo(10_000, 9000), formatAgo(0, 59_000), formatAgo(0, 7_300_000)]).toEqual([
      'just now',
      '59 s ago',
      '2 h ago',
    ]);
  });

  test('counts things', () => {
    expect([plural(1, 'GPU'), plural(2000, 'GPU'), shortId('7530070074255945729')]).toEqual([
      '1 GPU',
      '2,000 GPUs',
      '…55945729',
    ]);
  });
});

describe('sizes', () => {
  test.each([
    ['512M', 512 * 2 ** 20],
    ['8G', 8 * 2 ** 30],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['1gb', 2 ** 30],
    ['42', 42],
    ['8 gigs', undefined],
    ['-1G', undefined],
    ['', undefined],
  ])('%s is %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test('what is written reads back as the same bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 50 }),
        (bytes) => parseSize(sizeText(bytes)) === bytes,
      ),
    );
  });
});

describe('shell words', () => {
  test('whatever is joined splits back into the same words', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const split = splitWords(joinWords(words));
        expect(split).toEqual({ ok: true, words });
      }),
    );
  });

  test.each([
    [`a "b c" 'd e'f`, ['a', 'b c', 'd ef']],
    [`a\\ b "\\$x" '\\n'`, ['a b', '$x', '\\n']],
    [`x ''`, ['x', '']],
  ])('splits %s', (text, words) => expect(splitWords(text)).toEqual({ ok: true, words }));

  test('an open quote is a problem, not a guess', () => {
    expect(splitWords(`echo "x`).ok).toBe(false);
  });

  test.each([
    ['a && b', true],
    ['a | b', true],
    ['echo $HOME', true],
    ['python -c "print(1)"', false],
    [`echo 'a && b'`, false],
    ['echo a\\;b', false],
  ])('%s needs a shell: %s', (text, needs) => expect(looksLikeShell(text)).toBe(needs));
});

describe('hosts', () => {
  test.each([
    ['river@10.0.0.1:2222', { user: 'river', host: '10.0.0.1', port: 2222 }],
    ['[::1]:22', { host: '::1', port: 22 }],
    ['me@fe80::1', { user: 'me', host: 'fe80::1' }],
    ['ssh://me@box/', { user: 'me', host: 'box' }],
    ['box:99999', undefined],
    ['-oProxyCommand=x', undefined],
  ])('%s', (text, destination) => expect(parseDestination(text)).toEqual(destination));

  test('reads a pasted ssh command', () => {
    const line = parseHostLine(
      'ssh -p 2222 -i ~/.ssh/lab -J mio@gate,deep:2200 -L 1:b:2 -v river@new.lab uptime',
    );
    expect(line).toEqual({
      ok: true,
      host: {
        destination: { host: 'new.lab', user: 'river', port: 2222 },
        identityFile: '~/.ssh/lab',
        jumps: [
          { host: 'gate', user: 'mio' },
          { host: 'deep', port: 2200 },
        ],
        ignored: ['-L 1:b:2', '-v', 'uptime'],
      },
    });
  });

  test('reads settings given by -o and -l', () => {
    const line = parseHostLine('ssh -o Port=2200 -oUser=me -o "ProxyJump gate" box');
    expect(line).toMatchObject({
      ok: true,
      host: { destination: { host: 'box', port: 2200, user: 'me' }, jumps: [{ host: 'gate' }] },
    });
  });

  test.each(['', 'ssh', 'ssh -p 22', 'a b@@c', 'ssh -p x box'])(
    '«%s» is refused in words or read as a host',
    (text) => {
      const line = parseHostLine(text);
      if (!line.ok) expect(line.problem).toMatch(/\.$/);
      else expect(line.host.destination.host).not.toContain('@');
    },
  );

  test('writes IPv6 with a port in brackets', () => {
    expect(destinationText({ host: '::1', user: 'me', port: 22 })).toBe('me@[::1]:22');
  });
});

describe('targets', () => {
  test.each(['beta', 'beta:0', 'beta::1,3', 'a-b.c:1::0'])('%s reads and writes', (text) => {
    const target = parseTarget(text);
    expect(target === undefined ? undefined : targetText(target)).toBe(text);
  });
  test.each(['', ':0', 'a:b', 'a::', 'a::1,', 'a b'])('«%s» is none', (text) =>
    expect(parseTarget(text)).toBeUndefined(),
  );
});

describe('the command line', () => {
  test('says what the form says', () => {
    const line = cliLine({
      targets: ['beta::0,1'],
      cores: 8,
      memoryBytes: 48 * 2 ** 30,
      work: { kind: 'command', argv: ['python', 'my train.py', '--x=$HOME'] },
      vessel: { kind: 'image', reference: 'debian:12' },
      env: { A: 'b c' },
      secretEnv: { KEY: 'never shown' },
      mounts: [{ source: '/a', destination: '/b', readOnly: true }],
      sync: [{ from: '/my code', to: '/srv/p' }],
      fetch: [{ from: '/srv/out', to: '/here' }],
      priority: -5,
      hold: true,
    });
    expect(line).toBe(
      `kohakuriver task submit -t beta::0,1 -c 8 -m 48G --image debian:12 --env 'A=b c' --secret-env KEY --mount /a:/b:ro --sync '/my code:/srv/p' --fetch /srv/out:/here --priority -5 --hold -- python 'my train.py' '--x=$HOME'`,
    );
  });

  test('gives a script in a here-document whose end is not in it', () => {
    const line = cliLine({ work: { kind: 'script', text: 'echo 1\nEND\n' } });
    expect(line).toBe("kohakuriver task submit --script - <<'END_'\necho 1\nEND\nEND_");
  });
});

describe('what the form reads, the command line reads alike', () => {
  test.each(['10', '1-10', '1,3,7-9', '0-99%4', '5-5', '0-0', '3,1'])('array %s', (text) => {
    const read = parseArrayText(text);
    expect(read).toEqual({ ok: true, ...parseArray(text) });
    if (read.ok)
      expect(parseArrayText(arrayText(read.indices))).toMatchObject({ indices: read.indices });
  });
  test.each(['', '9-1', 'a', '1,,2', '0', '20000', '0-4999,6000-19999'])(
    'no array «%s»',
    (text) => {
      expect(parseArrayText(text).ok).toBe(false);
      if (text !== '0-4999,6000-19999') expect(() => parseArray(text)).toThrow();
    },
  );
  test.each(['90', '90s', '10m', '2h', '1d', '1h30m', '1.5h', '1h 30m'])('duration %s', (text) => {
    const seconds = parseSeconds(text);
    expect(seconds).toBe(parseDuration(text) / 1000);
    expect(parseSeconds(secondsText(seconds ?? 0))).toBe(seconds);
  });
  test.each(['', 'soon', '2 weeks', '-1'])('no duration «%s»', (text) =>
    expect(parseSeconds(text)).toBeUndefined(),
  );
  test('a moment of a field for date and time goes there and back', () => {
    const at = new Date(2031, 0, 2, 3, 4).getTime();
    expect(localMinute(at)).toBe('2031-01-02T03:04');
    expect(parseLocalMinute(localMinute(at))).toBe(at);
    expect(parseLocalMinute('tomorrow')).toBeUndefined();
  });
});

describe('log records', () => {
  const encode = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  const text = (pieces: Uint8Array[]) =>
    pieces.map((piece) => new TextDecoder().decode(piece)).join('');

  test('come out byte for byte, however they are cut', () => {
    const record = encode({ stream: 'stdout', offset: 0, time: 5, base64: btoa('h\u00ff\n') });
    const records = new LogRecords({ isTimed: false });
    const out = [...record].flatMap((byte) => records.take(Uint8Array.of(byte)));
    expect(out).toEqual([Uint8Array.of(104, 255, 10)]);
  });

  test('mark stderr and gaps, whose words give no orders to the terminal', () => {
    const records = new LogRecords({ isTimed: false });
    expect(text(records.take(encode({ stream: 'stderr', offset: 0, base64: btoa('x\n') })))).toBe(
      '\u001b[91mx\n\u001b[39m',
    );
    expect(text(records.take(encode({ gap: 'lost \u001b[2J 5 MB' })))).toContain('lost  [2J 5 MB');
  });

  test('can have the time before each line', () => {
    const records = new LogRecords({ isTimed: true });
    expect(
      text(
        records.take(
          encode({
            stream: 'stdout',
            offset: 0,
            time: Date.UTC(2026, 0, 2, 12),
            base64: btoa('x'),
          }),
        ),
      ),
    ).toMatch(/2026-01-0\d \d\d:00:00/);
    expect(
      text(records.take(encode({ stream: 'stdout', offset: 1, time: 5, base64: btoa('y\n') }))),
    ).toBe('y\n');
  });
});

describe('problems', () => {
  test('every code has a title and something to do, as sentences', () => {
    for (const code of errorCodes) {
      expect(advice[code].title.length).toBeGreaterThan(5);
      expect(advice[code].todo).toMatch(/[.]$/);
    }
  });

  test('name the field, and carry causes and incident in what is copied', () => {
    const problem = toProblem(
      new RemoteError({
        code: 'input/invalid',
        message: 'No.',
        retry: 'never',
        details: { field: 'cores' },
        causes: [{ code: 'x/y', message: 'Why.' }],
        incident: 'i-1',
      }),
    );
    expect(problem.fields).toEqual({ cores: 'No.' });
    expect(problem.details).toContain('caused by x/y: Why.');
    expect(problem.details).toContain('incident: i-1');
  });

  test('a foreign error is unexpected, and says its text', () => {
    expect(toProblem(new Error('boom'))).toMatchObject({
      code: 'internal/unexpected',
      message: 'boom',
    });
    expect(toProblem(new RequestError('link/auth', 'x')).title).toBe(advice['link/auth'].title);
  });
});

describe('addresses', () => {
  test('hold names with anything in them', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (part, value) => {
        expect(parseHash(href(['nodes', part], { text: value }))).toEqual({
          path: ['nodes', part],
          query: { text: value },
        });
      }),
    );
  });
  test('a broken encoding stands for itself', () =>
    expect(parseHash('#/nodes/%zz').path).toEqual(['nodes', '%zz']));
});

describe('fields of settings', () => {
  test.each([
    [{ type: 'boolean' }, { kind: 'switch' }],
    [
      { type: 'string', enum: ['a', 'b'] },
      { kind: 'choice', options: ['a', 'b'] },
    ],
    [
      { type: 'integer', minimum: 1, maximum: 9 },
      { kind: 'number', min: 1, max: 9 },
    ],
    [
      { anyOf: [{ type: 'string', maxLength: 5 }, { type: 'null' }] },
      { kind: 'text', isNullable: true, maxLength: 5 },
    ],
    ['nonsense', { kind: 'text', isNullable: false, maxLength: undefined }],
  ])('%j', (schema, field) => expect(settingField(schema)).toEqual(field));
});
