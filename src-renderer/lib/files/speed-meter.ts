/** Bytes a second over the last few seconds, so that the figure is steady and still follows. */
export class SpeedMeter {
  readonly #spanMs = 4000;
  #notes: { at: number; bytes: number }[] = [];

  /** Takes what was moved in all until now; null until there is something to compare with. */
  note(at: number, bytes: number): number | null {
    this.#notes = [...this.#notes.filter((note) => at - note.at < this.#spanMs), { at, bytes }];
    const first = this.#notes[0];
    if (first === undefined || at - first.at < 500) return null;
    return Math.max(0, ((bytes - first.bytes) * 1000) / (at - first.at));
  }
}
