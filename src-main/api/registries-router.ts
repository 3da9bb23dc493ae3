import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { RegistryService } from '../services/registries/registry-service.ts';
import type { WireContext } from './context.ts';

/** The contract's `registries`. */
export function registriesRouter(registries: RegistryService) {
  const os = implement(contract.registries).$context<WireContext>();
  return os.router({
    list: os.list.handler(() => registries.list()),
    login: os.login.handler(({ input }) => registries.login(input)),
    logout: os.logout.handler(({ input }) => registries.logout(input.host)),
  });
}
