/** Less would cost more than it saves; with twice as much V8 looks through all of the heap all the same. */
const everyBytes = 4 * 1024 * 1024;

/** Node's own, where the host has it exposed. */
type Collect = (options: { type: 'minor' }) => void;

/**
 * To be told how much was received into fresh memory. That lies outside the heap, which V8 sees as a
 * reason to look through all of the heap, over and over, with every core there is (512 MiB: 2 s of them
 * in a core of 43 MB). Only what is young need be looked at, which takes a millisecond. Does nothing
 * where the host gives no collector.
 */
export function collecting(): (bytes: number) => void {
  const { gc: collect } = globalThis as { gc?: Collect };
  if (collect === undefined) return () => undefined;
  let received = 0;
  return (bytes) => {
    received += bytes;
    if (received < everyBytes) return;
    received = 0;
    collect({ type: 'minor' });
  };
}
