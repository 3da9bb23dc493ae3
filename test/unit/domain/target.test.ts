import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { TargetSyntaxError } from '../../../src-main/domain/errors.ts';
import { formatTarget, parseTarget } from '../../../src-main/domain/target.ts';

function fault(text: string): TargetSyntaxError {
  try {
    parseTarget(text);
  } catch (error) {
    if (error instanceof TargetSyntaxError) return error;
    throw error;
  }
  throw new Error(`"${text}" was accepted`);
}

test.each([
  ['gpu1', { node: 'gpu1', numa: null, gpus: null }],
  ['gpu-1.lab.example', { node: 'gpu-1.lab.example', numa: null, gpus: null }],
  ['10.0.0.5', { node: '10.0.0.5', numa: null, gpus: null }],
  ['n:0', { node: 'n', numa: 0, gpus: null }],
  ['n::0', { node: 'n', numa: null, gpus: [0] }],
  ['n::3,1', { node: 'n', numa: null, gpus: [3, 1] }],
  ['gpu-1.a:1::0,10', { node: 'gpu-1.a', numa: 1, gpus: [0, 10] }],
])('reads %s', (text, target) => {
  expect(parseTarget(text)).toEqual(target);
});

describe('refuses, and says where', () => {
  test.each([
    ['', 1, 'the node name is missing'],
    [':0', 1, 'the node name is missing'],
    ['::0', 1, 'the node name is missing'],
    ['n:', 3, 'the NUMA node is missing'],
    ['n:a', 3, '"a" is not a NUMA node'],
    ['n:-1', 3, '"-1" is not a NUMA node'],
    ['n:1x::0', 4, '"1x" is not a NUMA node'],
    ['n::', 4, 'a GPU number is missing'],
    ['n::0,', 6, 'a GPU number is missing'],
    ['n::,0', 4, 'a GPU number is missing'],
    ['n::0,,1', 6, 'a GPU number is missing'],
    ['n::0,1,0', 8, 'GPU 0 is named twice'],
    ['n::00,0', 7, 'GPU 0 is named twice'],
    ['n::0;1', 5, '"0;1" is not a GPU number'],
    ['n::0 ,1', 5, '"0 " is not a GPU number'],
    ['n::1.5', 5, '"1.5" is not a GPU number'],
    ['n::99999', 4, '99999 is too large for a GPU number'],
    ['n:0:1', 4, '"0:1" is not a NUMA node'],
    ['n:0::1::2', 7, '"1::2" is not a GPU number'],
    ['my node', 3, '" " does not belong into a node name'],
    ['-n', 1, '"-" does not belong into a node name'],
    [' n', 1, '" " does not belong into a node name'],
    ['a,b', 2, '"," does not belong into a node name'],
    ['n'.repeat(64), 64, 'the node name is too long'],
  ])('%s', (text, position, what) => {
    const error = fault(text);
    expect(error).toMatchObject({
      code: 'target/syntax',
      retry: 'never',
      details: { value: text, position },
    });
    expect(error.message).toContain(`${what} at position ${String(position)}`);
    expect(String(error.details['right']).length).toBeGreaterThan(10);
  });
});

const targets = fc.record({
  node: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
  numa: fc.option(fc.nat({ max: 1023 })),
  gpus: fc.option(fc.uniqueArray(fc.nat({ max: 1023 }), { minLength: 1, maxLength: 8 })),
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(targets, (target) => {
      expect(parseTarget(formatTarget(target))).toEqual(target);
    }),
  );
});

test('any text is read or refused by name', () => {
  const letters = fc.string({
    unit: fc.constantFrom('n', '-', '.', ':', ',', '0', '1', ' ', '_'),
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.oneof(letters, fc.string()), (text) => {
      try {
        expect(parseTarget(formatTarget(parseTarget(text)))).toEqual(parseTarget(text));
      } catch (error) {
        expect(error).toBeInstanceOf(TargetSyntaxError);
      }
    }),
    { numRuns: 1000 },
  );
});
