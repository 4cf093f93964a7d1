import { hostname } from 'node:os'
import { serveGuest } from '../../cluster/colo/node/serve-guest.js'
import { coloAgent } from '../../cluster/colo-agent.js'
import { Pacemaker } from '../../cluster/node/pacemaker.js'
import { runProgram } from '../../cluster/node/run-program.js'
import { readEnvironment } from '../../cluster/ocf-environment.js'
import { endAlone, goOnAlone } from '../../cluster/pacemaker-arbiter.js'
import { complain } from '../../command-line/complain.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { printable } from '../../printable.js'
import type { Command } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** How long a tool of Pacemaker may take, in milliseconds. */
const toolTimeout = 15_000

/** Runs a guest on this node, by the environment of the agent that has started it, until it is ended. */
export async function runServe({ folder }: Extract<Command, { kind: 'serve' }>, io: Io): Promise<number> {
  const environment = readEnvironment(process.env, coloAgent.parameters, hostname())
  const { instance: resource, node } = environment
  const peers = coloAgent.nodes(environment).filter(name => name !== node)
  const cluster = new Pacemaker(runProgram(toolTimeout))
  const subject = { resource, node, peers }
  using interruption = interruptible(io)
  const say = (text: string) => {
    // the log is for people: the guest does not end for it
    io.writeLater(`${new Date().toISOString()} ${printable(text)}\n`).catch(() => {})
  }
  const end = await serveGuest({
    environment,
    folder,
    arbiter: {
      mayGoOnAlone: signal => goOnAlone(cluster, subject, signal),
      isEqual: () => endAlone(cluster, subject),
    },
    say,
    signal: interruption.signal,
  })
  if (end === undefined) return interruption.status ?? exitStatus('done')
  complain(io, 'xl-cluster', end)
  return exitStatus('failed')
}
