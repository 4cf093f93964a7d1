/** A node of QEMU's block graph, as `-blockdev` and QMP's `blockdev-add` take it: driver, name, options, children. */
export interface Blockdev {
  driver: string
  'node-name': string
  'read-only'?: true
  cache?: { direct: boolean; 'no-flush': boolean }
  /** Of a file or a device. */
  filename?: string
  /** Of an NBD client. */
  server?: { type: 'unix'; path: string }
  export?: string
  /** In seconds. */
  'reconnect-delay'?: number
  'read-pattern'?: 'fifo'
  'vote-threshold'?: number
  children?: Blockdev[]
  mode?: 'secondary'
  'top-id'?: string
  file?: Blockdev
  /** A node of its own, or the name of one that is there. */
  backing?: Blockdev | string
}

/** libxl's cache=writeback: the host's page cache, and flushes that reach the disk. */
export const writeback = { direct: false, 'no-flush': false } as const
