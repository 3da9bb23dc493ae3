// The rules of the queue, from the settings.
import type { LabelCap, PlannerPolicy } from '../../domain/planner/policy.ts';
import type { SettingsService } from '../settings.ts';

const minuteMs = 60_000;

export function queuePolicy(settings: Pick<SettingsService, 'get'>): PlannerPolicy {
  return {
    useForeignGpus: settings.get('tasks.useForeignGpus'),
    fairShare: settings.get('queue.fairShare'),
    gpuWeight: settings.get('queue.gpuWeight'),
    waitMs: settings.get('queue.waitMinutes') * minuteMs,
    agingMs: settings.get('queue.agingHours') * 60 * minuteMs,
    maxRunningPerOwner: settings.get('queue.maxRunningPerOwner'),
    maxGpusPerOwner: settings.get('queue.maxGpusPerOwner'),
    labelCaps: parseLabelCaps(settings.get('queue.labelCaps')),
    assumedRunMs: settings.get('queue.assumedRunMinutes') * minuteMs,
  };
}

/** `team=vision:4, kind=eval:10`; the setting's schema lets nothing else through. */
function parseLabelCaps(text: string): LabelCap[] {
  return text.split(',').flatMap((part) => {
    const match = /^\s*([^=:]+)=([^:]*):(\d+)\s*$/.exec(part);
    if (match === null) return [];
    const [, key = '', value = '', most = '1'] = match;
    return [{ key, value, most: Number(most) }];
  });
}
