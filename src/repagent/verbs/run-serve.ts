import { agentStates } from '../../cluster/group-view.js'
import { certificates } from '../../command-line/certificates.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { LogLines } from '../../command-line/log-lines.js'
import { sayChanges } from '../../command-line/say-changes.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { agentFamilies } from '../../metrics/agent-families.js'
import type { AgentConfig } from '../../replication/config/agent-config.js'
import { changedSettings } from '../../replication/config/config-changes.js'
import { Agent } from '../../replication/node/agent.js'
import { runAgentCommand } from '../../replication/node/agent-commands.js'
import { serveControl } from '../../replication/node/serve-control.js'
import { collectAtOnce } from '../../replication-command/collect-at-once.js'
import { configText } from '../../replication-command/config-text.js'
import { checkFixed, type Reloaded, Reloader } from '../../replication-command/reloader.js'
import { servingStates } from '../../replication-command/serving-states.js'
import type { ProtectCommand, ServeCommand } from '../command.js'
import { controlIn } from '../defaults.js'
import { exitStatus } from '../exit-status.js'
import { briefText, levelOf } from '../status-lines.js'

/** Is an agent until it is interrupted. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { config: file, control, ...serving } = command
  const { readAgentConfig } = await import('../../replication/config/agent-config.js')
  const read = () => {
    const config = readAgentConfig(configText(file), file)
    return { ...config, control: control ?? config.control }
  }
  return await serve(read(), { ...serving, file: { name: file, read } }, io)
}

/** The same, of one group. */
export async function runProtect(command: ProtectCommand, io: Io): Promise<number> {
  const { kind: _, group, protected: disks, hubMay, target, metrics, stateFiles, json, ...rest } = command
  const { readAgentConfig } = await import('../../replication/config/agent-config.js')
  // what is not said there has the values of a configuration that does not say it
  const text = JSON.stringify({ ...rest, groups: { [group]: { ...disks, hubMay, target } } })
  return await serve(readAgentConfig(text, 'the command line'), { json, metrics, stateFiles }, io)
}

interface Serving {
  json: boolean
  /** Where its metrics are scraped, whatever the configuration says. */
  metrics: SocketAddress | undefined
  /** Where a cluster manager reads how its groups are. */
  stateFiles: string | undefined
  /** Where the configuration is from, which may be read again. */
  file?: { name: string; read(): AgentConfig }
}

async function serve(config: AgentConfig, serving: Serving, io: Io): Promise<number> {
  const { json, metrics, stateFiles, file } = serving
  const lines = new LogLines(io, { json })
  const reloader = new Reloader()
  const { tls, control = controlIn(config.run), metrics: configured, ...options } = config
  collectAtOnce()
  await using service = io.service('repagent')
  using interruption = interruptible(io, file === undefined ? undefined : reloader.ask)
  await using agent = await Agent.open({ ...options, tls: tls === undefined ? undefined : certificates(tls) })
  await using _metrics = await servingMetrics('repagent', metrics ?? configured, () =>
    agentFamilies(agent.status, agent.counts),
  )
  using states = await servingStates('repagent', 'agent', stateFiles, () => agentStates(agent.status), io)
  using _changes = states.follow(agent)
  const close = await serveControl(control, async (execute, given) => {
    const answer = await runAgentCommand(agent, execute, given)
    states.write()
    return answer
  })
  if (file !== undefined)
    reloader.begin({ file: file.name, lines, service, reload: reloading(agent, config, file.read) })
  await sayChanges(interruption, agent, { lines, service, textOf: briefText, levelOf })
  await reloader.end()
  await close()
  return interruption.status ?? exitStatus('done')
}

/** What counts from a start on. */
const fixed = ['name', 'hub', 'hubName', 'tls', 'state', 'run', 'control', 'metrics', 'buffer'] as const

/** Has an agent do what its configuration says now. */
function reloading(agent: Agent, first: AgentConfig, read: () => AgentConfig): () => Promise<Reloaded> {
  let before = first
  return async () => {
    const config = read()
    checkFixed(before, config, fixed)
    const groups = await agent.change({ groups: config.groups, target: config.target })
    const settings = changedSettings(before, config, ['target'])
    before = config
    return { ...groups, settings, problems: [] }
  }
}
