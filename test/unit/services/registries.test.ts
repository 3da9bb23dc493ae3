import { expect, test } from 'vitest';
import {
  RegistryAccounts,
  type RegistryVault,
} from '../../../src-main/services/registries/registry-service.ts';

const kept = { username: 'anna', password: 'x' };

function accountsWith(state: RegistryVault['state']): RegistryAccounts {
  return new RegistryAccounts({
    state,
    put: () => undefined,
    get: () => {
      if (state !== 'open') throw new Error(state);
      return JSON.stringify(kept);
    },
    names: () => ['docker.io'],
    deleteOf: () => undefined,
  });
}

test('pulls go without an account where no vault can be opened, and wait where it is only locked', () => {
  expect(accountsWith('open').forPull('docker.io')).toEqual(kept);
  expect(accountsWith('unavailable').forPull('docker.io')).toBeUndefined();
  expect(() => accountsWith('locked').forPull('docker.io')).toThrow('locked');
  expect(() => accountsWith('unavailable').of('docker.io')).toThrow('unavailable');
});
