/** An answer, and the tag by which the service knows whether it is still the newest. */
export interface Kept {
  readonly etag: string;
  readonly body: string;
}

/** Where answers are kept, by their addresses: a `Map` is one, and so is whatever keeps them in a file or a database. */
export interface Store {
  get(url: string): Kept | undefined | Promise<Kept | undefined>;
  set(url: string, kept: Kept): unknown;
}

/** Keeps the answers that were last kept, this many. */
export class MemoryStore implements Store {
  readonly #kept = new Map<string, Kept>();
  readonly #most: number;

  constructor(most = 1000) {
    this.#most = most;
  }

  get(url: string): Kept | undefined {
    return this.#kept.get(url);
  }

  set(url: string, kept: Kept): void {
    this.#kept.delete(url);
    this.#kept.set(url, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(oldest);
    }
  }
}
