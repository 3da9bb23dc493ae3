// What the app needs of a core: typed calls, feeds, byte streams, and whether the link stands.
// The real one is the contract's reconnecting client (connect.ts makes it); the gallery and the
// tests bring a fake.
import type { ReconnectingClient } from '../../src-main/contract/reconnecting-client.ts';

export type { ConnectionState } from '../../src-main/contract/reconnecting-client.ts';
export type { Api, ByteReader, Chunk, FeedHandlers } from '../../src-main/contract/client.ts';

export type CoreClient = Pick<
  ReconnectingClient,
  'api' | 'feed' | 'openStream' | 'state' | 'onDidChangeState' | 'reconnectNow'
>;
