import { certificates } from '../../command-line/certificates.js'
import { fs } from '../../command-line/fs.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import { calling } from '../../command-line/system-error.js'
import { hubFamilies } from '../../metrics/hub-families.js'
import type { HubConfig } from '../../replication/config/hub-config.js'
import { commandAtMost, runCommand } from '../../replication/hub/hub-control.js'
import { HubServer } from '../../replication/node/hub-server.js'
import { serveControl } from '../../replication/node/serve-control.js'
import { collectAtOnce } from '../../replication-command/collect-at-once.js'
import { configText } from '../../replication-command/config-text.js'
import { sayChanges } from '../../replication-command/say-changes.js'
import type { ServeCommand } from '../command.js'
import { usualControl, usualRun } from '../defaults.js'
import { exitStatus } from '../exit-status.js'
import { briefText } from '../status-lines.js'

/** Is a hub until it is interrupted. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { takeOver, json } = command
  const { tls, control = usualControl, metrics: configured, ...options } = await configOf(command)
  // a reboot empties its folder
  if (control === usualControl) calling(usualRun, () => fs.mkdirSync(usualRun, { recursive: true, mode: 0o700 }))
  collectAtOnce()
  using interruption = interruptible(io)
  await using server = await HubServer.open({
    ...options,
    takeOver,
    tls: tls === undefined ? undefined : certificates(tls),
  })
  const { metrics = configured } = command
  await using _metrics = await servingMetrics('rephub', metrics, () => hubFamilies(server.status, server.takeOvers))
  const close = await serveControl(
    control,
    async (execute, given, gone) =>
      execute === 'hub' ? server.status : runCommand(server.hub.control('owner'), execute, given, gone),
    commandAtMost,
  )
  await sayChanges(io, interruption, server, { json, textOf: briefText })
  await close()
  return interruption.status ?? exitStatus('done')
}

/** What the options say counts before what the file says. */
async function configOf({ config: file, given }: ServeCommand): Promise<HubConfig> {
  const { readHubConfig } = await import('../../replication/config/hub-config.js')
  const config = file === undefined ? undefined : readHubConfig(configText(file), file)
  const own = readHubConfig(JSON.stringify({ data: config?.data, ...given }), 'the command line')
  if (config === undefined) return own
  const said = Object.entries(own).filter(([name]) => Object.hasOwn(given, name))
  return { ...config, ...Object.fromEntries(said) }
}
