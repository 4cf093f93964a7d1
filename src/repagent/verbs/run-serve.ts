import { certificates } from '../../command-line/certificates.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import { agentFamilies } from '../../metrics/agent-families.js'
import type { AgentConfig } from '../../replication/config/agent-config.js'
import { Agent } from '../../replication/node/agent.js'
import { runAgentCommand } from '../../replication/node/agent-commands.js'
import { serveControl } from '../../replication/node/serve-control.js'
import { collectAtOnce } from '../../replication-command/collect-at-once.js'
import { configText } from '../../replication-command/config-text.js'
import { sayChanges } from '../../replication-command/say-changes.js'
import type { ProtectCommand, ServeCommand } from '../command.js'
import { controlIn } from '../defaults.js'
import { exitStatus } from '../exit-status.js'
import { briefText } from '../status-lines.js'

/** Is an agent until it is interrupted. */
export async function runServe({ config: file, control, metrics, json }: ServeCommand, io: Io): Promise<number> {
  const { readAgentConfig } = await import('../../replication/config/agent-config.js')
  const config = readAgentConfig(configText(file), file)
  return await serve(
    { ...config, control: control ?? config.control },
    { metrics: metrics ?? config.metrics, json },
    io,
  )
}

/** The same, of one group. */
export async function runProtect(command: ProtectCommand, io: Io): Promise<number> {
  const { kind: _, group, protected: disks, hubMay, target, metrics, json, ...rest } = command
  const { readAgentConfig } = await import('../../replication/config/agent-config.js')
  // what is not said there has the values of a configuration that does not say it
  const text = JSON.stringify({ ...rest, groups: { [group]: { ...disks, hubMay, target } } })
  return await serve(readAgentConfig(text, 'the command line'), { metrics, json }, io)
}

async function serve(
  config: AgentConfig,
  { metrics, json }: Pick<ServeCommand, 'metrics' | 'json'>,
  io: Io,
): Promise<number> {
  const { tls, control = controlIn(config.run), metrics: _, ...options } = config
  collectAtOnce()
  using interruption = interruptible(io)
  await using agent = await Agent.open({ ...options, tls: tls === undefined ? undefined : certificates(tls) })
  await using _metrics = await servingMetrics('repagent', metrics, () => agentFamilies(agent.status, agent.counts))
  const close = await serveControl(control, (execute, given) => runAgentCommand(agent, execute, given))
  await sayChanges(io, interruption, agent, { json, textOf: briefText })
  await close()
  return interruption.status ?? exitStatus('done')
}
