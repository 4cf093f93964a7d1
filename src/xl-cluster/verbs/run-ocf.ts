import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { actionNames, runAction } from '../../cluster/actions.js'
import { agents, type KnownAgent } from '../../cluster/agents.js'
import { ocfCodes } from '../../cluster/exit-code.js'
import { metaData } from '../../cluster/meta-data.js'
import { Pacemaker } from '../../cluster/node/pacemaker.js'
import { resourceOf } from '../../cluster/node/resource-of.js'
import { runProgram } from '../../cluster/node/run-program.js'
import { readEnvironment } from '../../cluster/ocf-environment.js'
import { OcfFailure } from '../../cluster/ocf-failure.js'
import type { Io } from '../../command-line/io.js'
import { version } from '../../command-line/version.js'
import { printable } from '../../printable.js'
import { XenlightError } from '../../xenlight-error.js'
import type { Command } from '../command.js'
import { commandFile } from '../own-files.js'

/** How long a tool of Pacemaker may take, in milliseconds. */
const toolTimeout = 15_000

/** An action of a resource agent. What went wrong is said as Pacemaker reads it. */
export async function runOcf({ type, action }: Extract<Command, { kind: 'ocf' }>, io: Io): Promise<number> {
  const agent = agents.find(({ name }) => name === type)
  const known = actionNames.find(name => name === action)
  if (agent === undefined) return ocfCodes.notInstalled
  if (action === 'meta-data') {
    io.write(1, metaData(agent, version()))
    return ocfCodes.success
  }
  if (known === undefined) {
    io.write(2, `usage: ${agent.name} meta-data|${actionNames.join('|')}\n`)
    return ocfCodes.notImplemented
  }
  try {
    return await act(agent, known, io)
  } catch (error) {
    if (!(error instanceof OcfFailure || error instanceof XenlightError || isForeseen(error))) throw error
    io.write(2, `ocf-exit-reason:${printable(error.message)}\n`)
    return error instanceof OcfFailure ? error.code : ocfCodes.genericError
  }
}

/** Of a tool, or of the system. */
const isForeseen = (error: unknown): error is Error =>
  error instanceof Error && !(error instanceof TypeError || error instanceof ReferenceError)

function act(agent: KnownAgent, action: (typeof actionNames)[number], io: Io): Promise<number> {
  const environment = readEnvironment(process.env, agent.parameters, hostname())
  const cluster = new Pacemaker(runProgram(toolTimeout))
  const place = {
    folder: join('/run/xenlight', environment.instance),
    node: process.execPath,
    commands: dirname(commandFile),
    env: { ...process.env, XENLIGHT_AGENT: agent.name },
  }
  const resource = resourceOf(agent, environment, place, cluster)
  const warn = (message: string) => io.write(2, `${printable(message)}\n`)
  return runAction(action, { agent, resource, environment, host: { cluster, warn } })
}
