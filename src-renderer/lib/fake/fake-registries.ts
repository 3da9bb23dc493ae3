// The registries of the fake core.
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { RegistryView } from '../../../src-main/contract/registries.ts';
import type { Api } from '../client.ts';

export function fakeRegistriesApi(isEmpty: boolean): Api['registries'] {
  let all: RegistryView[] = isEmpty ? [] : [{ host: 'registry.lab.example:5000', username: 'mio' }];
  return {
    list: async () => all,
    login: async ({ host, username, password, verify }) => {
      if (verify !== false && password === 'wrong') {
        throw new RequestError(
          'registry/denied',
          `${host} does not accept this name and password.`,
        );
      }
      all = [...all.filter((each) => each.host !== host), { host, username }];
      return { host, username, verifiedOn: verify === false ? null : 'alpha' };
    },
    logout: async ({ host }) => {
      all = all.filter((each) => each.host !== host);
      return { host };
    },
  };
}
