// Connections to an Engine through a program: node:http lets go of them as it likes.
import http from 'node:http';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { NodeLink } from '../../../../src-main/link/node-link.ts';
import { LinkAgent } from '../../../../src-main/runtimes/docker/agent.ts';

/** A link whose `docker system dial-stdio` answers every request. */
function linkToEngine(): { link: NodeLink; ended: () => number } {
  let ended = 0;
  const spawn = () => {
    const stdout = new PassThrough();
    const stdin = new Writable({
      write: (_chunk, _encoding, done) => {
        stdout.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        done();
      },
    });
    const end = () => {
      ended += 1;
      return Promise.resolve();
    };
    return Promise.resolve({ stdin, stdout, ended: new Promise(() => undefined), end });
  };
  return { link: { spawn } as unknown as NodeLink, ended: () => ended };
}

function ask(agent: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ agent, path: '/_ping' }, (reply) => void text(reply).then(resolve, reject))
      .once('error', reject);
  });
}

// An error that nobody hears ends the process, and with it the core.
test('connections beyond those that are kept idle are closed without an error nobody hears', async () => {
  const { link, ended } = linkToEngine();
  const agent = new LinkAgent(link, { kind: 'dial-stdio' });
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(agent)));
  expect(new Set(answers)).toEqual(new Set(['ok']));
  await expect.poll(ended).toBe(4);
  agent.destroy();
  await expect.poll(ended).toBe(12);
});
