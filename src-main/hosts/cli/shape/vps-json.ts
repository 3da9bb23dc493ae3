import type { VpsView } from '../../../contract/vps.ts';
import { isoTime, isoTimeOrNull } from '../text/time.ts';

/** A VPS as scripts read it: times in ISO 8601 UTC, GPUs by index, absent = null. */
export function vpsJson(vps: VpsView) {
  const {
    gpus,
    env,
    secretEnvNames,
    submittedAt,
    startedAt,
    stoppedAt,
    nodeId: _id,
    ...rest
  } = vps;
  return {
    ...rest,
    gpus: gpus.map((gpu) => gpu.index),
    env: { ...env, ...Object.fromEntries(secretEnvNames.map((name) => [name, '********'])) },
    submittedAt: isoTime(submittedAt),
    startedAt: isoTimeOrNull(startedAt),
    stoppedAt: isoTimeOrNull(stoppedAt),
  };
}
