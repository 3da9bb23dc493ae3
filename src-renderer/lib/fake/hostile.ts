// What a node, or another person, could put into every text they control.
import type { FakeCore } from './fake-core.ts';

/** Markup, orders to a terminal, text that turns the rest around; its mark shows that it is on a page. */
export const hostileText =
  '<img src=x data-hostile onerror=alert(1)>"\'`</script>\u001b[2J\u0007\u202eabc\u0000';
/** The core cuts what nodes say, and refuses names of tasks, long before this. */
const endless = hostileText + 'x'.repeat(4000);

/** What says of what kind something is, and not what it is called. */
const kept = /^(id|uuid|nodeId|taskId|state|kind|level|severity|code|vendor|status)$/;

/** Every text in an object but those that say what it is; its name has no end. */
function poisoned<T>(value: T, key = ''): T {
  if (typeof value === 'string')
    return (kept.test(key) ? value : key === 'name' ? endless : hostileText) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => poisoned(each, key)) as T;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as Record<string, unknown>).map(
      ([name, each]) => [name, poisoned(each, name)] as const,
    );
    return Object.fromEntries(entries) as T;
  }
  return value;
}

/** Puts it wherever a node or a submitter can put text, in everything a core has. */
export function poison(core: FakeCore): void {
  core.nodes = core.nodes.map((node) => poisoned(node));
  core.tasks = core.tasks.map((task, at) =>
    at >= 20
      ? task
      : {
          ...task,
          name: at < 4 ? endless : hostileText,
          reason: hostileText,
          phase: hostileText,
          owner: hostileText,
          image: hostileText,
          labels: { team: hostileText },
          env: { A: hostileText },
          warnings: [hostileText],
          work: { kind: 'command', argv: [hostileText, hostileText] },
        },
  );
}
