// The Engine's progress lines of one pull, added up to a percentage.
import { z } from 'zod';

const progressLine = z.object({
  id: z.string().max(200).optional(),
  status: z.string().max(1000).optional(),
  error: z.string().max(2000).optional(),
  progressDetail: z
    .object({ current: z.number().optional(), total: z.number().optional() })
    .optional(),
});

interface LayerShare {
  total: number;
  downloaded: number;
  extracted: number;
}

/** A pull cannot have more layers than an image (127); more lines than that are noise. */
const mostLayers = 512;

/** Adds up what the Engine says about the layers of one pull. */
export class PullProgress {
  readonly #layers = new Map<string, LayerShare>();

  /**
   * Takes one line of the stream. Returns the Engine's complaint if the line is one. What cannot be
   * read is passed over: progress is for people, the outcome is looked up afterwards.
   */
  add(line: string): string | undefined {
    const parsed = progressLine.safeParse(parseJson(line));
    if (!parsed.success) return undefined;
    const { id, status, error, progressDetail } = parsed.data;
    if (error !== undefined) return error;
    if (id !== undefined && status !== undefined) this.#note(id, status, progressDetail ?? {});
    return undefined;
  }

  /** Whole percent of download and unpacking together; null before the sizes are known. */
  percent(): number | null {
    let total = 0;
    let done = 0;
    for (const layer of this.#layers.values()) {
      total += 2 * layer.total;
      done += layer.downloaded + layer.extracted;
    }
    return total === 0 ? null : Math.min(100, Math.floor((100 * done) / total));
  }

  #note(
    id: string,
    status: string,
    detail: { current?: number | undefined; total?: number | undefined },
  ) {
    const layer = this.#layers.get(id);
    if (layer === undefined) {
      if (this.#layers.size < mostLayers && status !== 'Already exists') {
        this.#layers.set(id, { total: 0, downloaded: 0, extracted: 0 });
        this.#note(id, status, detail);
      }
      return;
    }
    if (detail.total !== undefined && detail.total > 0) layer.total = detail.total;
    const current = Math.min(Math.max(0, detail.current ?? 0), layer.total);
    if (status === 'Downloading') layer.downloaded = current;
    else if (status === 'Download complete') layer.downloaded = layer.total;
    else if (status === 'Extracting') {
      layer.downloaded = layer.total;
      layer.extracted = current;
    } else if (status === 'Pull complete') {
      layer.downloaded = layer.total;
      layer.extracted = layer.total;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
