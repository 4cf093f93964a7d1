/** Where things are, unless somebody says otherwise. */
export const usualState = '/var/lib/repagent'
export const usualRun = '/run/repagent'

/** The control socket of an agent whose sockets are in this folder. */
export const controlIn = (run: string): string => `${run}/control.sock`

/** The name of a disk's node in QEMU. */
export const usualNode = 'disk'
