// The one part of ssh2 that is used without being public: its SFTP client over a channel of ours
// (see sftp-open.ts). Checked against 1.17; an integration test runs it.
declare module 'ssh2/lib/protocol/SFTP.js' {
  import type { Client, ClientChannel, SFTPWrapper } from 'ssh2';
  interface ChannelState {
    type: 'session';
    incoming: unknown;
    outgoing: unknown;
  }
  const internals: {
    SFTP: new (client: Client, channel: ChannelState) => SFTPWrapper & { _init(): void };
  };
  export default internals;
  export interface InternalChannel extends ClientChannel {
    incoming: { id: number };
    outgoing: unknown;
  }
  export interface InternalClient extends Client {
    _chanMgr: { update(id: number, instance: unknown): void };
  }
}
