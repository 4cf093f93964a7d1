import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Begins to listen for NBD clients: one server for all exports. */
export const nbdServerStart = {
  name: 'nbd-server-start',
  takes: takes<{
    addr: { type: 'inet'; data: { host: string; port: string } } | { type: 'unix'; data: { path: string } }
    /** The id of a `tls-creds-…` object. */
    'tls-creds'?: string
    /** How many clients may be connected; 0 is no limit. */
    'max-connections'?: number
  }>(),
  reply: nothing,
} satisfies QmpCommand

/** Ends the server, its exports and its clients' connections. */
export const nbdServerStop = { name: 'nbd-server-stop', takes: takes(), reply: nothing } satisfies QmpCommand
