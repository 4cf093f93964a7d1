/** What a hub needs of the world besides its folder. */
export interface HubHost {
  /** The hub's clock, in microseconds since 1970. */
  now(): number
  /** Settles in so many milliseconds. */
  pause(milliseconds: number): Promise<void>
  /** A new random UUID. */
  uuid(): string
  /** How many NBD clients these exports have. */
  exportClients(names: readonly string[]): number
  /**
   * Whether the NBD clients of these exports have gone, and none of them is to come again. Known at once where it is so; where not, it
   * looks for a while, so that who asks again and again may do so at once.
   */
  haveGone(names: readonly string[], signal?: AbortSignal): Promise<boolean>
  /** Ends the NBD clients of these exports, which are not found any more; settles when nothing of theirs has an effect. */
  dropExports(names: readonly string[]): Promise<void>
}
