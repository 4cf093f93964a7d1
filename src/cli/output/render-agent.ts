import { formatAgentConfig } from '../../replication/config/format-agent-config.js'
import { isName } from '../../replication/name.js'
import type { ProtectCommand } from '../command.js'
import type { ProtectedGuest } from '../protect/protect-guest.js'

/** Where an agent keeps what it must not forget. */
const state = '/var/lib/repagent'

/** The configuration of the agent that serves a guest's disks on this machine. */
export const renderAgent = (
  { hub, run }: ProtectCommand,
  { group, served }: ProtectedGuest,
  hostname: string,
): Iterable<string> => [
  formatAgentConfig({ name: isName(hostname) ? hostname : 'agent', hub, state, run, group, disks: served }),
]
