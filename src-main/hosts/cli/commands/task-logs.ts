import type { Call } from '../call.ts';
import { copyLog, copyRecords, type LogQuestion } from '../copy-log.ts';
import { UsageError } from '../errors.ts';
import { parseSince } from '../parse/since.ts';
import { LineTimes } from '../text/timestamps.ts';

interface LogOptions {
  follow?: boolean;
  stderr?: boolean;
  both?: boolean;
  tail?: number;
  since?: string;
  timestamps?: boolean;
}

/** `task logs`: bytes as they were printed; with `--json`, a record a line. */
export async function showLog(call: Call<LogOptions>, task: string): Promise<void> {
  const { out } = call.io;
  const question = questionOf(call, task);
  if (call.isJson) {
    await copyRecords(call, question, (record) => call.line(record));
  } else if (call.options.timestamps === true) {
    const times = new LineTimes();
    await copyRecords(call, question, (record) => out.write(times.stamp(record)));
  } else {
    await copyLog(call, question, (bytes) => out.write(bytes));
  }
}

function questionOf(call: Call<LogOptions>, task: string): LogQuestion {
  const { follow, stderr, both, tail, since } = call.options;
  if (stderr === true && both === true) throw new UsageError('Give --stderr or --both, not both.');
  return {
    task,
    follow: follow === true,
    stream: both === true ? 'both' : stderr === true ? 'stderr' : 'stdout',
    ...(tail === undefined ? {} : { tailLines: tail }),
    ...(since === undefined ? {} : { since: parseSince(since, call.io.now()) }),
  };
}
