/** Where an agent's sockets are, if nothing else is said. */
export const defaultRun = '/run/repagent'

/** The name of the NBD export by which an agent serves a volume. */
export const inlineExportName = (group: string, volume: string): string => `${group}/${volume}`

/** The unix socket at which it does so. */
export const inlineSocket = (run: string, group: string, volume: string): string =>
  `${run.replace(/\/+$/, '')}/${group}.${volume}.sock`
