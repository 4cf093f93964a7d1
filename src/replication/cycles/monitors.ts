import { yank } from '../../qmp/commands/yank.js'
import type { Qmp } from '../../qmp/qmp.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { commandTimeout } from './command-timeout.js'

/** How a guest's QEMU is reached. */
export interface Monitors {
  qmp: Qmp
  /** A second connection: what has to pass a command that blocks goes here. The first one by default. */
  urgent?: Qmp | undefined
}

/** Whether a frozen target can be cut off whatever the monitor does. */
export const passesAll = ({ qmp, urgent = qmp }: Monitors): boolean => urgent.outOfBand

/**
 * Cuts the connections of NBD clients: what waits for them fails at once. Without out-of-band commands it waits for its turn, which
 * passes a frozen job, but no command that blocks. Those that are not there are left out.
 */
export async function cutOff({ qmp, urgent = qmp }: Monitors, nodes: readonly string[]): Promise<void> {
  const limits = { timeout: commandTimeout }
  const cut = (node: string) => {
    const instances = { instances: [{ type: 'block-node', 'node-name': node }] } as const
    const sent = urgent.outOfBand ? urgent.runOutOfBand(yank, instances, limits) : urgent.run(yank, instances, limits)
    return sent.catch(unlessRefused)
  }
  await Promise.all(nodes.map(cut))
}
