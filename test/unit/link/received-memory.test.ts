// A real client and a real server of ssh2 in one process, as the memory is used again beneath them.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Client, Server, type ClientChannel, type ServerChannel } from 'ssh2';
import { keepCiphers } from '../../../src-main/link/ssh/kept-ciphers.ts';
import { connectReading, Received } from '../../../src-main/link/ssh/received-memory.ts';

const hostKey = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
}).privateKey;

/** Only where ssh2 has its compiled part, which the build makes, is anything read in place. */
const { bindingAvailable: canReadInPlace } = createRequire(import.meta.url)(
  'ssh2/lib/protocol/crypto.js',
) as { bindingAvailable: boolean };

/** Different everywhere, so that memory that was used too early is seen. */
const content = randomBytes(24 * 1024 * 1024);
const sumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Sends `content` to every command, in parts of uneven sizes. */
async function serving(cipher: string): Promise<{ port: number; rekey: () => void }> {
  const clients = new Set<{ rekey?: () => void }>();
  const server = new Server(
    { hostKeys: [hostKey], algorithms: { cipher: [cipher as 'aes128-gcm@openssh.com'] } },
    (client) => {
      clients.add(client);
      keepCiphers(client);
      client.on('error', () => undefined);
      client.on('authentication', (context) => context.accept());
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec) => void send(acceptExec()));
      });
    },
  );
  server.listen(0, '127.0.0.1');
  closers.push(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, rekey: () => clients.forEach((client) => client.rekey?.()) };
}

async function send(channel: ServerChannel): Promise<void> {
  let size = 1;
  for (let at = 0; at < content.length; at += size) {
    size = 1 + ((at * 7919 + size * 31) % 100_000);
    if (!channel.write(content.subarray(at, at + size))) await once(channel, 'drain');
  }
  channel.exit(0);
  channel.end();
}

async function connected(
  port: number,
): Promise<{ client: Client; received: Received; socket: Socket }> {
  const socket = connectReading({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  const client = new Client();
  closers.push(() => client.destroy());
  const received = new Received(client, socket);
  client.connect({ sock: socket, username: 'river', password: 'river' });
  await once(client, 'ready');
  return { client, received, socket };
}

function execOn(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec('send', (error, channel) =>
      error === undefined ? resolve(channel) : reject(error),
    );
  });
}

async function read(channel: ClientChannel): Promise<string> {
  const parts: Buffer[] = [];
  channel.on('data', (part: Buffer) => parts.push(part));
  channel.resume();
  await once(channel, 'close');
  return sumOf(Buffer.concat(parts));
}

/** What is diverted is used at once. It is not ready all the time, and has had enough now and then. */
function taken(channel: ClientChannel, received: Received) {
  const sum = createHash('sha256');
  const counts = { direct: 0, later: 0 };
  let isReady = true;
  let hasEnough = false;
  const wantMore = received.divert(channel, {
    isReady: () => isReady && channel.readableLength === 0,
    take: (part) => {
      sum.update(part);
      counts.direct += part.length;
      return !hasEnough;
    },
  });
  channel.on('data', (part: Buffer) => {
    sum.update(part);
    counts.later += part.length;
  });
  let turn = 0;
  const changing = setInterval(() => {
    turn += 1;
    isReady = turn % 3 !== 0;
    if (isReady) channel.resume();
    else channel.pause();
    hasEnough = turn % 4 === 0;
    if (!hasEnough) wantMore();
  }, 3);
  const whole = once(channel, 'close').then(() => sum.digest('hex'));
  channel.on('end', () => clearInterval(changing));
  return { counts, whole };
}

test.for(['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'])(
  'what several channels receive at once stays whole, whoever keeps it (%s)',
  async (cipher) => {
    const { port } = await serving(cipher);
    const { client, received } = await connected(port);
    const [first, second, third] = [
      await execOn(client),
      await execOn(client),
      await execOn(client),
    ];
    // Kept unread for a while, as far as its window reaches.
    third.pause();
    const diverted = taken(first, received);
    const [direct, kept] = await Promise.all([diverted.whole, read(second)]);
    expect(direct).toBe(sumOf(content));
    expect(kept).toBe(sumOf(content));
    expect(await read(third)).toBe(sumOf(content));
    const { counts } = diverted;
    expect(counts.direct + counts.later).toBe(content.length);
    expect(counts.direct > 0).toBe(canReadInPlace && cipher.includes('gcm'));
  },
);

test('keys may change in the middle', async () => {
  const { port, rekey } = await serving('aes256-gcm@openssh.com');
  const { client, received, socket } = await connected(port);
  let handshakes = 0;
  client.on('handshake', () => (handshakes += 1));
  let next = 3_000_000;
  let came = 0;
  socket.on('data', ({ length }: Buffer) => {
    came += length;
    if (came < next) return;
    next += 8_000_000;
    rekey();
  });
  const [first, second] = [await execOn(client), await execOn(client)];
  const diverted = taken(first, received);
  const [direct, kept] = await Promise.all([diverted.whole, read(second)]);
  expect([direct, kept]).toEqual([sumOf(content), sumOf(content)]);
  expect(handshakes).toBeGreaterThan(1);
  expect(diverted.counts.direct > 0).toBe(canReadInPlace);
});

test('a packet that was altered ends the connection', async () => {
  const { port } = await serving('aes128-gcm@openssh.com');
  const { client, received, socket } = await connected(port);
  const channel = await execOn(client);
  const diverted = taken(channel, received);
  diverted.whole.catch(() => undefined);
  const failed = new Promise<Error>((resolve) => client.on('error', resolve));
  let isAltered = false;
  socket.prependListener('data', (part: Buffer) => {
    if (isAltered || part.length < 40_000) return;
    isAltered = true;
    part[20_000]! ^= 1;
  });
  expect((await failed).message).not.toBe('');
  expect(diverted.counts.direct + diverted.counts.later).toBeLessThan(content.length);
});
