import { forceOf } from '../../cluster/actions.js'
import { Pacemaker } from '../../cluster/node/pacemaker.js'
import { runProgram } from '../../cluster/node/run-program.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** How long a tool of Pacemaker may take, in milliseconds. */
const toolTimeout = 30_000

/** An operator says that a node is to be promoted with what it has. The agent does it, and records it. */
export async function runForce({ resource, node, reason }: Extract<Command, { kind: 'force' }>): Promise<number> {
  const cluster = new Pacemaker(runProgram(toolTimeout))
  if (!(await cluster.hasQuorum())) throw new Error('this partition has no quorum: nothing was changed')
  await cluster.setProperty(forceOf(resource), `${node} ${reason}`)
  // the others may have had what is missing there
  await cluster.setOnlyPromotable(resource, node)
  return exitStatus('done')
}
