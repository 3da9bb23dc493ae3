import type { Call } from '../call.ts';
import { findTarget } from '../terminal-target.ts';

interface ProxyOptions {
  port: number;
}

/** `proxy`: standard input and output are a connection to the SSH port there. */
export async function proxy(call: Call<ProxyOptions>, reference: string): Promise<void> {
  const { client } = await call.connect();
  const target = await findTarget(client.api, reference);
  const stream = client.openStream(
    'forwards.dial',
    { target, port: call.options.port },
    { upload: call.io.keys(), signal: call.signal },
  );
  for await (const bytes of stream) await call.io.out.write(bytes);
}
