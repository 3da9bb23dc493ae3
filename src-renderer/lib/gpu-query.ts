// Finding GPUs in a list of many: by who uses them, model, node and words; in an order people choose.
import { cellWords, kindOf, memoryShare, type GpuCell, type GpuKind } from './gpus.ts';

export interface GpuFilter {
  kind?: GpuKind | undefined;
  /** The whole name of the model. */
  model?: string | undefined;
  nodeId?: string | undefined;
  text?: string | undefined;
}
export const gpuSorts = ['place', 'model', 'who', 'use', 'memory', 'temperature', 'power'] as const;
export type GpuSort = (typeof gpuSorts)[number];

/** What a holder adds to the words of a cell. */
export type NameHolder = (cell: GpuCell) => { title: string; owner: string } | undefined;

function wordsOf(cell: GpuCell, nameHolder: NameHolder): string {
  const holder = nameHolder(cell);
  const who = cellWords(cell, () => holder?.title);
  return `${cell.node.name} ${cell.gpu.index} ${cell.gpu.name} ${cell.gpu.uuid} ${who} ${holder?.owner ?? ''}`.toLowerCase();
}

/** The cells that match all of a filter; several words must each be there. */
export function filterGpus(
  cells: readonly GpuCell[],
  filter: GpuFilter,
  nameHolder: NameHolder,
): GpuCell[] {
  const parts = (filter.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return cells.filter(
    (cell) =>
      (filter.kind === undefined || kindOf(cell) === filter.kind) &&
      (filter.model === undefined || cell.gpu.name === filter.model) &&
      (filter.nodeId === undefined || cell.node.id === filter.nodeId) &&
      (parts.length === 0 || parts.every((part) => wordsOf(cell, nameHolder).includes(part))),
  );
}

/** A figure to order by; what is not known stands last either way. */
function figureOf(cell: GpuCell, sort: GpuSort): number | null {
  switch (sort) {
    case 'use':
      return cell.share;
    case 'memory':
      return memoryShare(cell);
    case 'temperature':
      return cell.sample?.temperatureC ?? null;
    case 'power':
      return cell.sample?.powerW ?? null;
    default:
      return null;
  }
}

function textOf(cell: GpuCell, sort: GpuSort, nameHolder: NameHolder): string | undefined {
  if (sort === 'model') return cell.gpu.name;
  if (sort !== 'who') return undefined;
  const holder = nameHolder(cell);
  return holder === undefined
    ? `~${cellWords(cell, () => undefined)}`
    : `${holder.owner} ${holder.title}`;
}

export interface GpuOrder {
  sort: GpuSort;
  isReversed: boolean;
}

/** In a new order; equals stay in the order of nodes and indices. Figures go from high to low first. */
export function sortGpus(
  cells: readonly GpuCell[],
  { sort, isReversed }: GpuOrder,
  nameHolder: NameHolder,
): GpuCell[] {
  const turn = isReversed ? -1 : 1;
  if (sort === 'place') return isReversed ? [...cells].reverse() : [...cells];
  const keyed = cells.map((cell) => ({
    cell,
    figure: figureOf(cell, sort),
    text: textOf(cell, sort, nameHolder),
  }));
  keyed.sort((a, b) => {
    if (a.text !== undefined && b.text !== undefined) return a.text.localeCompare(b.text) * turn;
    if (a.figure === null || b.figure === null)
      return Number(a.figure === null) - Number(b.figure === null);
    return (b.figure - a.figure) * turn;
  });
  return keyed.map(({ cell }) => cell);
}

export interface GpuSummary {
  held: number;
  /** Means over those whose figure is known; null where none is. */
  use: number | null;
  memoryBytes: number;
  memoryTotalBytes: number;
  powerW: number | null;
  hottestC: number | null;
}

/** What all of them come to. */
export function summaryOf(cells: readonly GpuCell[]): GpuSummary {
  const known = (figures: (number | null | undefined)[]) => figures.filter((each) => each != null);
  const sum = (figures: number[]) => figures.reduce((total, each) => total + each, 0);
  const uses = known(cells.map(({ share }) => share));
  const powers = known(cells.map(({ sample }) => sample?.powerW));
  const heats = known(cells.map(({ sample }) => sample?.temperatureC));
  return {
    held: cells.filter(({ use }) => use.kind === 'ours').length,
    use: uses.length === 0 ? null : sum(uses) / uses.length,
    memoryBytes: sum(known(cells.map(({ sample }) => sample?.memoryBytes))),
    memoryTotalBytes: sum(cells.map(({ gpu }) => gpu.memoryBytes)),
    powerW: powers.length === 0 ? null : sum(powers),
    hottestC: heats.length === 0 ? null : Math.max(...heats),
  };
}
