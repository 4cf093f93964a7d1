import { UsageError } from '../../command-line/usage-error.js'
import { isName, nameRule } from '../../replication/name.js'
import { ConfigValueError } from '../../xlu/config.js'
import type { ProtectCommand } from '../command.js'
import type { DisksRead } from '../placed-disk.js'
import { remark } from '../refusal.js'

/** The name of the guest's group: by the option, else that of the guest in its configuration file. Undefined where that is none. */
export function groupOf({ group }: ProtectCommand, { config, diagnostics }: DisksRead): string | undefined {
  if (group !== undefined) return group
  const refuse = (message: string): undefined => {
    const { start, end } = config!.getPlace('name')!
    const at = { spec: config!.text, start, end }
    diagnostics.push(remark('error', 'config-guest', message, at, 'give the group a name with --group NAME'))
  }
  let name: string | undefined
  try {
    name = config?.getString('name')
  } catch (error) {
    if (!(error instanceof ConfigValueError)) throw error
    return refuse(error.problem)
  }
  if (name === undefined) throw new UsageError('--protect needs --group NAME, as the file has no name=')
  return isName(name) ? name : refuse(`a group cannot be called ${JSON.stringify(name)}: it has to be ${nameRule}`)
}
