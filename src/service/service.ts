/**
 * What the manager that started this process (systemd) hears of it. Where none listens, nothing happens; nothing here waits or fails,
 * but for the end, which waits until all is said: the process may be gone right after it.
 */
export interface Service extends AsyncDisposable {
  /** It serves; after `reloading`, it has read its configuration again. */
  ready(): void
  /** It begins to read its configuration again. `ready` follows, also where nothing was changed. */
  reloading(): void
  /** It begins to end. */
  stopping(): void
  /** How it is, in a line. */
  status(text: string): void
}

/** Nobody listens. */
export const unheard: Service = {
  ready() {},
  reloading() {},
  stopping() {},
  status() {},
  async [Symbol.asyncDispose]() {},
}
