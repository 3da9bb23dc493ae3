import { afterAll, beforeAll, describe } from 'vitest';
import { LocalLink } from '../../../src-main/link/local/local-link.ts';
import { describeNodeLink } from './node-link-suite.ts';
import { hasSshd, PrivateSshd } from './private-sshd.ts';

describeNodeLink('this computer', () => Promise.resolve(new LocalLink()));

describe.skipIf(!hasSshd)('over SSH', () => {
  let sshd: PrivateSshd;
  beforeAll(async () => {
    sshd = await PrivateSshd.start();
  });
  afterAll(() => sshd[Symbol.asyncDispose]());
  describeNodeLink('SSH', () => sshd.connect());
});
