// Whether a submission can be accepted, against what is known of the nodes. Answers at once and
// names the field, the value, the rule and a fix.
import type { TaskId } from '../contract/ids.ts';
import type { TaskSubmission, Vessel } from '../contract/task.ts';
import { SubmissionError } from './errors.ts';
import { imageOf } from './names.ts';
import { everLacksOn, type GpuRule } from './planner/constraints.ts';
import { describeLack, nearestNode } from './planner/explain.ts';
import type { NodeAnswer, PlannerNode, QueuedTask } from './planner/model.ts';
import { needOf } from './planner/need.ts';
import { formatTarget, parseTarget, type Target } from './target.ts';

/** A submission whose default vessel has been filled in. */
export type VesselledSubmission = Omit<TaskSubmission, 'vessel'> & { readonly vessel: Vessel };

export interface SubmissionPolicy extends GpuRule {
  readonly allowPrivileged: boolean;
}

export interface CheckedSubmission {
  /** One task each; a single null where the scheduler chooses. */
  readonly targets: readonly (Target | null)[];
  /** Sentences for the submitter: accepted all the same. */
  readonly warnings: readonly string[];
}

/**
 * Checks a submission. What could never run on any registered node, by the last known facts of all
 * of them (those offline or drained included), is accepted only on hold.
 *
 * Throws TargetSyntaxError, and SubmissionError with `target/unknown-node`, `target/unknown-gpu`,
 * `target/unknown-numa`, `task/never-fits`, `auth/forbidden` (privileged) or `input/invalid`.
 */
export function validateSubmission(
  submission: VesselledSubmission,
  nodes: readonly PlannerNode[],
  policy: SubmissionPolicy,
): CheckedSubmission {
  checkVessel(submission, policy);
  checkVariables(submission);
  checkFolders(submission);
  const parsed = submission.targets.map(parseTarget);
  const targets: readonly (Target | null)[] = parsed.length === 0 ? [null] : parsed;
  const warnings = warningsFor(submission, nodes);
  for (const target of targets) {
    if (target !== null) checkNamedGpus(submission, target);
    const problem = findProblem(submission, target, { nodes, policy });
    if (problem === undefined) continue;
    const isUnknownNode = problem.code === 'target/unknown-node';
    if (!submission.hold || isUnknownNode) throw problem;
    warnings.push(problem.message);
  }
  return { targets, warnings };
}

function checkVessel(submission: VesselledSubmission, policy: SubmissionPolicy): void {
  if (submission.privileged && !policy.allowPrivileged) {
    throw new SubmissionError(
      'auth/forbidden',
      'Privileged containers are not allowed here: leave "privileged" off, or have the setting tasks.allowPrivileged changed.',
      { field: 'privileged', value: true },
    );
  }
  if (submission.vessel.kind !== 'process') return;
  const wrong = (
    [
      ['mounts', submission.mounts.length > 0],
      ['user', submission.user !== null],
      ['privileged', submission.privileged],
    ] as const
  ).find(([, isSet]) => isSet);
  if (wrong === undefined) return;
  const [field] = wrong;
  throw invalid(
    field,
    `"${field}" needs a container: name an image or an environment, or leave "${field}" out.`,
  );
}

function checkVariables({ env, secretEnv, mounts }: VesselledSubmission): void {
  const twice = Object.keys(secretEnv).find((name) => name in env);
  if (twice !== undefined) {
    throw invalid(
      'secretEnv',
      `The variable ${twice} is given both openly and as a secret; give it once.`,
    );
  }
  const seen = new Set<string>();
  for (const { destination } of mounts) {
    if (seen.has(destination)) {
      throw invalid('mounts', `Two mounts go to ${destination}; give each a place of its own.`);
    }
    seen.add(destination);
  }
}

/** A container sees folders of the node under their absolute paths, and each only once. */
function checkFolders({ vessel, sync, fetch, mounts }: VesselledSubmission): void {
  const ofNode = [
    ...sync.map(({ to }) => ({ field: 'sync', path: to })),
    ...fetch.map(({ from }) => ({ field: 'fetch', path: from })),
  ];
  for (const { field, path } of vessel.kind === 'process' ? [] : ofNode) {
    if (path.startsWith('~')) {
      throw invalid(
        field,
        `${path} is not absolute: a container is shown a folder of the node by its whole path, such as /srv/project.`,
      );
    }
    const other = mounts.find(({ destination, source }) => destination === path && source !== path);
    if (other !== undefined) {
      throw invalid(
        field,
        `${path} of the node and ${other.source} would both be ${path} in the container; name another folder.`,
      );
    }
  }
}

function checkNamedGpus(submission: VesselledSubmission, target: Target): void {
  if (submission.gpus === null || target.gpus === null) return;
  throw invalid(
    'gpus',
    `GPUs are asked for by number of pieces (${String(submission.gpus.count)}) and by index (target ${formatTarget(target)}); use one of the two.`,
  );
}

function invalid(field: string, message: string): SubmissionError {
  return new SubmissionError('input/invalid', message, { field });
}

// --- against the nodes

interface World {
  readonly nodes: readonly PlannerNode[];
  readonly policy: SubmissionPolicy;
}

/** What keeps this target from ever running, as the error that says so. */
function findProblem(
  submission: VesselledSubmission,
  target: Target | null,
  world: World,
): SubmissionError | undefined {
  if (target !== null) {
    const node = world.nodes.find(({ name }) => name === target.node);
    if (node === undefined) return unknownNode(target, world.nodes);
    const isKnown = node.cores > 0;
    const absent = isKnown ? (unknownNuma(target, node) ?? unknownGpu(target, node)) : undefined;
    if (absent !== undefined) return absent;
  }
  return neverFits(submission, target, world);
}

function unknownNode(target: Target, nodes: readonly PlannerNode[]): SubmissionError {
  const nearest = nearestName(
    target.node,
    nodes.map(({ name }) => name),
  );
  const hint = nearest === undefined ? knownNodes(nodes) : `did you mean ${nearest}?`;
  return new SubmissionError('target/unknown-node', `There is no node "${target.node}"; ${hint}`, {
    field: 'targets',
    value: target.node,
    ...(nearest === undefined ? {} : { suggestion: nearest }),
  });
}

function knownNodes(nodes: readonly PlannerNode[]): string {
  if (nodes.length === 0) return 'no node has been added yet.';
  const some = nodes.slice(0, 8).map(({ name }) => name);
  const more = nodes.length > some.length ? ` and ${String(nodes.length - some.length)} more` : '';
  return `there are ${some.join(', ')}${more}.`;
}

function unknownNuma(target: Target, node: PlannerNode): SubmissionError | undefined {
  if (target.numa === null || node.numa.some(({ id }) => id === target.numa)) return undefined;
  const ids = node.numa.map(({ id }) => String(id));
  const has = ids.length === 0 ? 'tells of none; leave the NUMA node out' : `has ${ids.join(', ')}`;
  return new SubmissionError(
    'target/unknown-numa',
    `${node.name} has no NUMA node ${String(target.numa)}: it ${has}.`,
    { field: 'targets', value: formatTarget(target), node: node.name },
  );
}

function unknownGpu(target: Target, node: PlannerNode): SubmissionError | undefined {
  const absent = target.gpus?.find((index) => !node.gpus.some((gpu) => gpu.index === index));
  if (absent === undefined) return undefined;
  const indices = node.gpus.map(({ index }) => String(index));
  const has = indices.length === 0 ? 'no GPU was seen on it' : `it has ${indices.join(', ')}`;
  return new SubmissionError(
    'target/unknown-gpu',
    `${node.name} has no GPU ${String(absent)}: ${has}.`,
    { field: 'targets', value: formatTarget(target), node: node.name },
  );
}

function neverFits(
  submission: VesselledSubmission,
  target: Target | null,
  { nodes, policy }: World,
): SubmissionError | undefined {
  const need = needOf(askedFor(submission, target));
  const answers: NodeAnswer[] = [];
  for (const node of nodes) {
    const everLacks = everLacksOn(need, node, policy);
    if (everLacks.length === 0) return undefined;
    const { id: nodeId, name } = node;
    answers.push({ nodeId, name, fits: false, possible: false, lacks: everLacks, everLacks });
  }
  const nearest = nearestNode(answers);
  const near =
    nearest === undefined
      ? 'no node has been added yet'
      : `nearest is ${nearest.name}: ${nearest.everLacks.map((lack) => describeLack(lack)).join('; ')}`;
  return new SubmissionError(
    'task/never-fits',
    `No node could ever run this; ${near}.${submission.hold ? '' : ' Ask for less, or submit it on hold.'}`,
    nearest === undefined ? {} : { node: nearest.name },
  );
}

/** The submission as the planner would read it. Identity, owner and order do not matter here. */
function askedFor(submission: VesselledSubmission, target: Target | null): QueuedTask {
  return {
    id: '1' as TaskId,
    owner: '',
    priority: submission.priority,
    submittedAt: 0,
    held: submission.hold,
    target,
    cores: submission.cores,
    memoryBytes: submission.memoryBytes ?? 0,
    gpus: submission.gpus,
    vessel: submission.vessel,
    exclusive: submission.exclusive,
    onNodeLabels: submission.onNodeLabels,
    avoidNodes: submission.avoidNodes,
    labels: submission.labels,
    timeLimitMs: null,
    waitingSince: 0,
    gang: null,
  };
}

// --- warnings

function warningsFor(submission: VesselledSubmission, nodes: readonly PlannerNode[]): string[] {
  const warnings: string[] = [];
  const image = submission.vessel.kind === 'image' ? imageOf(submission.vessel) : null;
  if (image !== null && isLatest(image)) {
    warnings.push(
      `The image ${image} is whatever ":latest" is at the start; name a version to run the same again.`,
    );
  }
  if (submission.memoryBytes === null) {
    warnings.push('No memory was asked for: it counts as none when a node is chosen.');
  }
  if (submission.privileged) {
    warnings.push('A privileged container can do anything on its node.');
  }
  for (const name of submission.avoidNodes) {
    if (!nodes.some((node) => node.name === name))
      warnings.push(`There is no node "${name}" to avoid.`);
  }
  return warnings;
}

/** No digest, and the tag `latest` or none. A colon before the last slash belongs to a port. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false;
  const name = image.slice(image.lastIndexOf('/') + 1);
  return !name.includes(':') || name.endsWith(':latest');
}

// --- suggestions

/** The known name that was probably meant: at most a third of the letters differ; undefined when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
