/**
 * Small numbers by the WAL's numbers of series: an array where those are dense, as they nearly always are, a map for the rest.
 */

/** Refs below this are looked up in an array, others in a map. */
const DENSE_REFS = 64 * 1024 * 1024;

export class WalRefTable {
  #dense = new Uint32Array(1024);
  readonly #sparse = new Map<number, number>();

  /** @returns 0 where nothing was set */
  get(walRef: number): number {
    return walRef < this.#dense.length ? this.#dense[walRef]! : (this.#sparse.get(walRef) ?? 0);
  }

  set(walRef: number, value: number): void {
    if (walRef >= DENSE_REFS) {
      this.#sparse.set(walRef, value);
      return;
    }
    if (walRef >= this.#dense.length) {
      const larger = new Uint32Array(Math.max(walRef + 1, this.#dense.length * 2));
      larger.set(this.#dense);
      this.#dense = larger;
    }
    this.#dense[walRef] = value;
  }
}
