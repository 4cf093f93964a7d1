import { ReplicationError } from '../replication-error.js'
import { shown } from './names.js'

/** Who may do what with a group: names of agents and of those who control, as in their certificates. `*` stands for any. */
export interface GroupRights {
  /** Who may send it. */
  agents: readonly string[]
  /** Who may ask for tests, fail-overs and all else that changes it, and read its disks. */
  control: readonly string[]
}

/** The rights on a hub. */
export interface Rights {
  /** Of the groups that are named; undefined where nothing more may be made. */
  groups: Readonly<Record<string, GroupRights>>
  /** Of the others, which are made when an agent names them; undefined where there are to be no others. */
  others?: GroupRights | undefined
}

/** Who asks: somebody by name, or the hub's own user, who may do everything. */
export type Asker = { name: string } | 'owner'

/** Any agent may make groups, and send those; only the hub's own user controls them. */
export const openRights: Rights = { groups: {}, others: { agents: ['*'], control: [] } }

const rightsOf = ({ groups, others }: Rights, group: string): GroupRights | undefined =>
  Object.hasOwn(groups, group) ? groups[group] : others

const isNamed = (names: readonly string[] | undefined, name: string): boolean =>
  names?.some(one => one === '*' || one === name) === true

export const mayWrite = (rights: Rights, group: string, agent: string): boolean =>
  isNamed(rightsOf(rights, group)?.agents, agent)

export const mayControl = (rights: Rights, group: string, asker: Asker): boolean =>
  asker === 'owner' || isNamed(rightsOf(rights, group)?.control, asker.name)

/** Whether an NBD client may have the disks of a group's branches, by its certificate. */
export const mayReadDisks = (rights: Rights, group: string, isCertified: (name: string) => boolean): boolean =>
  rightsOf(rights, group)?.control.some(one => one === '*' || isCertified(one)) === true

/** Whether somebody who could have the disks of a group's branches by one of these rights may not by the other. */
export function takesDisks(before: Rights, after: Rights, group: string): boolean {
  const now = rightsOf(after, group)?.control
  return rightsOf(before, group)?.control.some(name => !isNamed(now, name)) === true
}

/** @throws ReplicationError not-allowed */
export function checkMayWrite(rights: Rights, group: string, agent: string): void {
  if (mayWrite(rights, group, agent)) return
  throw new ReplicationError(
    'not-allowed',
    `the agent ${shown(agent)} may not send the group ${group}: name it among the group's agents in the hub's configuration`,
  )
}

/** @throws ReplicationError not-allowed */
export function checkMayControl(rights: Rights, group: string, asker: Asker): void {
  if (mayControl(rights, group, asker)) return
  throw new ReplicationError(
    'not-allowed',
    `${shown(asker === 'owner' ? asker : asker.name)} may not control the group ${group}`,
  )
}
