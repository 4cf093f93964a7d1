import { hubStates } from '../../cluster/group-view.js'
import { certificates } from '../../command-line/certificates.js'
import { complain } from '../../command-line/complain.js'
import { fs } from '../../command-line/fs.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { type LeaseChoice, openLeaseEtcd } from '../../command-line/lease-choice.js'
import { LogLines } from '../../command-line/log-lines.js'
import { sayChanges } from '../../command-line/say-changes.js'
import { servingMetrics } from '../../command-line/serving-metrics.js'
import { calling } from '../../command-line/system-error.js'
import { UsageError } from '../../command-line/usage-error.js'
import type { Etcd } from '../../lease/node/open-etcd.js'
import { hubFamilies } from '../../metrics/hub-families.js'
import { changedSettings, groupChanges } from '../../replication/config/config-changes.js'
import type { HubConfig } from '../../replication/config/hub-config.js'
import { commandAtMost, runCommand } from '../../replication/hub/hub-control.js'
import { HubServer, type HubServerOptions } from '../../replication/node/hub-server.js'
import { LeasedHub } from '../../replication/node/leased-hub.js'
import { serveControl } from '../../replication/node/serve-control.js'
import { collectAtOnce } from '../../replication-command/collect-at-once.js'
import { configText } from '../../replication-command/config-text.js'
import { checkFixed, type Reloaded, Reloader } from '../../replication-command/reloader.js'
import { servingStates } from '../../replication-command/serving-states.js'
import type { ServeCommand } from '../command.js'
import { usualControl, usualRun } from '../defaults.js'
import { exitStatus } from '../exit-status.js'
import { servingHubPage } from '../page/serving-hub-page.js'
import { servingHub } from '../serving-hub.js'
import { briefText, levelOf } from '../status-lines.js'

/** Is a hub until it is interrupted. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { config: file, takeOver, stateFiles, json } = command
  const lines = new LogLines(io, { json })
  const config = await configOf(command)
  const { tls, control = usualControl, metrics: configured, page: configuredPage, lease, ...options } = config
  const choice = command.lease ?? (lease && { ...lease, endpoints: lease.etcd, tls: lease.tls })
  if (takeOver && choice !== undefined)
    throw new UsageError('--take-over has no meaning with a lease: whoever has that takes over')
  // a reboot empties its folder
  if (control === usualControl) calling(usualRun, () => fs.mkdirSync(usualRun, { recursive: true, mode: 0o700 }))
  collectAtOnce()
  await using service = io.service('rephub')
  const reloader = new Reloader()
  using interruption = interruptible(io, file === undefined ? undefined : reloader.ask)
  const given: HubServerOptions = { ...options, takeOver, tls: tls === undefined ? undefined : certificates(tls) }
  using etcd = choice && openLeaseEtcd(choice)
  await using server =
    choice === undefined || etcd === undefined ? await HubServer.open(given) : leasedHub(given, choice, etcd)
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
      const answer = await runCommand(servingHub(server).control('owner'), execute, given, gone)
      states.write()
      return answer
    },
    commandAtMost,
  )
  if (file !== undefined)
    reloader.begin({ file, lines, service, reload: reloading(server, config, () => configOf(command)) })
  const over = server instanceof LeasedHub ? [server.over] : []
  const signal = AbortSignal.any([interruption.signal, ...over])
  await sayChanges({ signal }, server, { lines, service, textOf: briefText, levelOf })
  await reloader.end()
  await close()
  if (interruption.status !== undefined) return interruption.status
  if (!(server instanceof LeasedHub)) return exitStatus('done')
  server.check()
  // whoever has the lease serves: the service's manager starts this one again, to stand by
  complain(io, 'rephub', server.status.problem ?? 'the lease is lost')
  return exitStatus('takenOver')
}

function leasedHub(options: HubServerOptions, { name, ttl }: LeaseChoice, { leases, catalogue }: Etcd): LeasedHub {
  return new LeasedHub({ ...options, lease: { name, ttl, store: leases, catalogue } })
}

/** What counts from a start on. */
const fixed = ['name', 'data', 'listen', 'control', 'tls', 'nbd', 'metrics', 'page', 'compress', 'lease'] as const

/** Has a hub do what its configuration says now. */
function reloading(
  server: HubServer | LeasedHub,
  first: HubConfig,
  read: () => Promise<HubConfig>,
): () => Promise<Reloaded> {
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
