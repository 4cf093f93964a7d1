/** What a hub needs of the world besides its folder. */
export interface HubHost {
  /** The hub's clock, in microseconds since 1970. */
  now(): number
  /** A new random UUID. */
  uuid(): string
  /** Ends the NBD clients of these exports, which are not found any more; settles when nothing of theirs has an effect. */
  dropExports(names: readonly string[]): Promise<void>
}
