import { certificates } from '../../command-line/certificates.js'
import { fs } from '../../command-line/fs.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { LogLines } from '../../command-line/log-lines.js'
import { sayChanges } from '../../command-line/say-changes.js'
import { calling } from '../../command-line/system-error.js'
import type { HubConfig } from '../../replication/config/hub-config.js'
import { commandAtMost, runCommand } from '../../replication/hub/hub-control.js'
import { HubServer } from '../../replication/node/hub-server.js'
import { serveControl } from '../../replication/node/serve-control.js'
import { collectAtOnce } from '../../replication-command/collect-at-once.js'
import { configText } from '../../replication-command/config-text.js'
import type { ServeCommand } from '../command.js'
import { usualControl, usualRun } from '../defaults.js'
import { exitStatus } from '../exit-status.js'
import { briefText, levelOf } from '../status-lines.js'

/** Is a hub until it is interrupted. */
export async function runServe(command: ServeCommand, io: Io): Promise<number> {
  const { takeOver, json } = command
  const { tls, control = usualControl, ...options } = await configOf(command)
  // a reboot empties its folder
  if (control === usualControl) calling(usualRun, () => fs.mkdirSync(usualRun, { recursive: true, mode: 0o700 }))
  collectAtOnce()
  using service = io.service('rephub')
  using interruption = interruptible(io)
  await using server = await HubServer.open({
    ...options,
    takeOver,
    tls: tls === undefined ? undefined : certificates(tls),
  })
  const close = await serveControl(
    control,
    async (execute, given, gone) =>
      execute === 'hub' ? server.status : runCommand(server.hub.control('owner'), execute, given, gone),
    commandAtMost,
  )
  await sayChanges(interruption, server, { lines: new LogLines(io, { json }), service, textOf: briefText, levelOf })
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
