import { beforeEach, expect, test } from 'vitest';
import { RequestError } from '../../src-main/contract/errors.ts';
import { createFakeClient, type FakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { AddNode } from '../../src-renderer/state/add-node.svelte.ts';

let client: FakeClient;
let wizard: AddNode;
beforeEach(() => {
  client = createFakeClient();
  wizard = new AddNode(client);
});

test('shows the key to compare, then what the host is, and stores nothing before the end', async () => {
  wizard.hostText = 'river@new.lab';
  const before = client.core.nodes.length;
  await wizard.inspect();
  expect(wizard.step).toBe('keys');
  expect(wizard.keys).toMatchObject([{ host: 'new.lab', status: 'new' }]);
  await wizard.confirm();
  expect(wizard.step).toBe('result');
  expect(wizard.name).toBe('new.lab');
  expect(client.core.nodes).toHaveLength(before);
  const node = await wizard.add();
  expect(node?.name).toBe('new.lab');
  expect(client.core.nodes).toHaveLength(before + 1);
});

test('a key that is known needs no confirming', async () => {
  wizard.hostText = 'known.lab';
  await wizard.inspect();
  expect(wizard.step).toBe('result');
});

test('a changed key cannot be clicked away', async () => {
  wizard.hostText = 'changed.lab';
  await wizard.inspect();
  expect(wizard.hasBadKey).toBe(true);
  await wizard.confirm();
  expect(wizard.step).toBe('keys');
});

test('a host that does not answer says so on the first page', async () => {
  wizard.hostText = 'down.lab';
  await wizard.inspect();
  expect(wizard.problem).toMatchObject({ code: 'link/timeout' });
  expect(wizard.step).toBe('host');
});

test('a refused sign-in goes back to where a key or password can be given, which then works', async () => {
  wizard.hostText = 'me@locked.lab';
  await wizard.inspect();
  await wizard.confirm();
  expect(wizard.problem?.code).toBe('link/auth');
  expect(wizard.step).toBe('host');
  wizard.password = 'secret';
  await wizard.inspect();
  await wizard.confirm();
  expect(wizard.step).toBe('result');
});

test('the key of a host behind a jump is confirmed when it comes to light', async () => {
  const second = `SHA256:${'b'.repeat(43)}`;
  const { tryHost } = client.api.nodes;
  client.api.nodes.tryHost = (input, options) => {
    const consent = input.consent;
    if (typeof consent === 'object' && consent.fingerprints.includes(second))
      return tryHost(input, options as never);
    return Promise.reject(
      new RequestError('link/host-key-unknown', 'Not known.', {
        details: { fingerprint: second, host: 'inner', keyType: 'ssh-rsa' },
      }),
    );
  };
  wizard.hostText = 'ssh -J gate inner';
  await wizard.inspect();
  await wizard.confirm();
  expect(wizard.step).toBe('keys');
  expect(wizard.keys).toMatchObject([{ host: 'inner', fingerprint: second }]);
  await wizard.confirm();
  expect(wizard.step).toBe('result');
});

test('jump hosts that cannot be read hold the wizard back', () => {
  wizard.hostText = 'box';
  wizard.jumpsText = 'gate, @@';
  expect(wizard.jumpProblem).toBe('@@');
  expect(wizard.canGoOn).toBe(false);
});
