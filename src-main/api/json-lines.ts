/** One JSON document a line. */
export async function* asLines(values: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
}

export async function* once(value: Promise<unknown>): AsyncGenerator {
  yield await value;
}
