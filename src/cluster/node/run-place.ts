/** What a resource's process is started with. */
export interface RunPlace {
  /** The resource's own folder, for sockets and state. */
  readonly folder: string
  /** The Node that runs the commands. */
  readonly node: string
  /** Where the commands are. */
  readonly commands: string
  readonly env: Readonly<Record<string, string | undefined>>
}
