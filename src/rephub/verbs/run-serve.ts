import { hubStates } from '../../cluster/group-view.js'
import { certificates } from '../../command-line/certificates.js'
import { fs } from '../../command-line/fs.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { LogLines } from '../../command-line/log-lines.js'
import { sayChanges } from '../../command-line/say-changes.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import { calling } from '../../command-line/system-error.js'
import { hubFamilies } from '../../metrics/hub-families.js'
import { changedSettings, groupChanges } from '../../replication/config/config-changes.js'
import type { HubConfig } from '../../replication/config/hub-config.js'
import { commandAtMost, runCommand } from '../../replication/hub/hub-control.js'
import { HubServer } from '../../replication/node/hub-server.js'
import { serveControl } from '../../replication/node/serve-control.js'
import { collectAtOnce } from '../../replication-command/collect-at-once.js'
import { configText } from '../../replication-command/config-text.js'
import { checkFixed, type Reloaded, Reloader } from '../../replication-command/reloader.js'
import { servingStates } from '../../replication-command/serving-states.js'
import type { ServeCommand } from '../command.js'
import { usualControl, usualRun } from '../defaults.js'
import { exitStatus } from '../exit-status.js'
import { servingHubPage } from '../page/serving-hub-page.js'
import { briefText, levelOf } from '../status-lines.js'

/** Is a hub until it is interrupted. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { config: file, takeOver, stateFiles, json } = command
  const lines = new LogLines(io, { json })
  const config = await configOf(command)
  const { tls, control = usualControl, metrics: configured, page: configuredPage, ...options } = config
  // a reboot empties its folder
  if (control === usualControl) calling(usualRun, () => fs.mkdirSync(usualRun, { recursive: true, mode: 0o700 }))
  collectAtOnce()
  await using service = io.service('rephub')
  const reloader = new Reloader()
  using interruption = interruptible(io, file === undefined ? undefined : reloader.ask)
  await using server = await HubServer.open({
    ...options,
    takeOver,
    tls: tls === undefined ? undefined : certificates(tls),
  })
  const { metrics = configured } = command
  await using _metrics = await servingMetrics('rephub', metrics, () => hubFamilies(server.status, server.takeOvers))
  using states = await servingStates('rephub', 'hub', stateFiles, () => hubStates(server.status), io)
  using _changes = states.follow(server)
  const { page = configuredPage } = command
  await using _page = await servingHubPage(server, page)
  const close = await serveControl(
    control,
    async (execute, given, gone) => {
      if (execute === 'hub') return server.status
      const answer = await runCommand(server.hub.control('owner'), execute, given, gone)
      states.write()
      return answer
    },
    commandAtMost,
  )
  if (file !== undefined)
    reloader.begin({ file, lines, service, reload: reloading(server, config, () => configOf(command)) })
  await sayChanges(interruption, server, { lines, service, textOf: briefText, levelOf })
  await reloader.end()
  await close()
  return interruption.status ?? exitStatus('done')
}

/** What counts from a start on. */
const fixed = ['name', 'data', 'listen', 'control', 'tls', 'nbd', 'metrics', 'page', 'compress'] as const

/** Has a hub do what its configuration says now. */
function reloading(server: HubServer, first: HubConfig, read: () => Promise<HubConfig>): () => Promise<Reloaded> {
  let before = first
  return async () => {
    const config = await read()
    checkFixed(before, config, fixed)
    const problems = await server.change(config)
    const groups = groupChanges(before.groups ?? {}, config.groups ?? {})
    const settings = changedSettings(before, config, ['journal', 'limits'])
    // the rights of all others hang on that
    if ((before.groups === undefined) !== (config.groups === undefined)) settings.push('groups')
    before = config
    return { ...groups, settings, problems: problems.map(({ message }) => message) }
  }
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
