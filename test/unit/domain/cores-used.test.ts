import { expect, test } from 'vitest';
import { coresUsed } from '../../../src-main/domain/vps/cores-used.ts';

test('cores that are busy are processor time over time', () => {
  const before = { cpuNs: 1e9, readAtNs: 5e9 };
  expect(coresUsed(before, { cpuNs: 4e9, readAtNs: 7e9 })).toBe(1.5);
  expect(coresUsed(before, { cpuNs: 1e9, readAtNs: 7e9 })).toBe(0);
});

test('nothing is told of one measurement, of a container that was started again, or of a clock that stepped back', () => {
  const before = { cpuNs: 4e9, readAtNs: 7e9 };
  expect(coresUsed(undefined, before)).toBeNull();
  expect(coresUsed(before, { cpuNs: 1e9, readAtNs: 9e9 })).toBeNull();
  expect(coresUsed(before, { cpuNs: 5e9, readAtNs: 6e9 })).toBeNull();
  expect(coresUsed(before, before)).toBeNull();
});
