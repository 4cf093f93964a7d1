import { sharedRoles } from './colo-images.js'
import { type ColoField, missingColoKeys } from './colo-keys.js'
import type { DeviceDisk } from './device-disk.js'
import type { LibxlReason } from './libxl-reason.js'
import { isQemuId } from './qemu-id.js'
import type { DomainType } from './resolved-disk.js'
import { show } from './show-text.js'

/** What a reader of the rules knows of a disk with `colo`. A rule that needs a fact which is absent says nothing. */
export interface ColoFacts {
  guest?: { domainType?: DomainType | undefined; stubdom?: boolean | undefined } | undefined
  disk?: Pick<DeviceDisk, 'isCdrom' | 'readwrite' | 'pdevPath' | ColoField> | undefined
  /** Once it is chosen. */
  backend?: DeviceDisk['backend'] | undefined
  /** What it will be chosen by. */
  chosenBy?: Pick<DeviceDisk, 'script' | 'specification'> | undefined
  /** Why QEMU does not replicate what has this disk's place, once places are known. */
  misplaced?: string | undefined
  /** The guest's first COLO disk. */
  first?: Pick<DeviceDisk, 'vdev' | 'coloHost' | 'coloPort'> | undefined
  /** The ids in its QEMU that its export cannot have. */
  ids?: { ways: ReadonlySet<string>; taken: ReadonlySet<string> } | undefined
}

export type ColoReason = Extract<LibxlReason, `colo-${string}`>

interface ColoRule<Reason> {
  reason: Reason
  /** The field that it is about, where the reason alone does not say it (`fieldByReason`). */
  field?: keyof DeviceDisk
  /** Why COLO cannot protect such a disk. */
  broken: (facts: ColoFacts) => string | false | undefined
  /** What to do about it. */
  fix?: string
}

/** A rule that a disk breaks. */
export interface BrokenRule<Reason = ColoReason> {
  reason: Reason
  field: keyof DeviceDisk | undefined
  why: string
  fix: string | undefined
}

/** In the order in which they are told. libxl and QEMU take all of these disks, and leave them unprotected or die later. */
const rules: readonly ColoRule<ColoReason>[] = [
  {
    reason: 'colo-guest',
    broken: ({ guest: { domainType = 'hvm' } = {} }) =>
      domainType !== 'hvm' && `COLO replicates the disks of HVM guests only, and this guest is ${domainType}`,
  },
  {
    reason: 'colo-guest',
    broken: ({ guest }) =>
      guest?.stubdom && 'a QEMU in a stub domain cannot replicate disks: COLO needs one in the host',
  },
  {
    reason: 'colo-cdrom',
    broken: ({ disk }) => disk?.isCdrom && 'a CD drive cannot be replicated',
    fix: 'take colo away from it',
  },
  {
    reason: 'colo-read-only',
    broken: ({ disk }) =>
      disk && !disk.isCdrom && !disk.readwrite && 'a read-only disk cannot be replicated, QEMU aborts',
    fix: 'write access=rw or take colo away',
  },
  {
    reason: 'colo-backend',
    broken: ({ backend = 'qdisk' }) => backend !== 'qdisk' && `COLO needs the backend qdisk, and this is ${backend}`,
  },
  {
    reason: 'colo-backend',
    field: 'script',
    broken: ({ chosenBy }) => chosenBy?.script !== undefined && 'COLO needs the backend qdisk, which takes no script',
  },
  {
    reason: 'colo-backend',
    field: 'specification',
    broken: ({ chosenBy }) =>
      chosenBy?.specification === 'virtio' &&
      chosenBy.script === undefined &&
      'COLO needs the backend qdisk, which takes no virtio disk',
  },
  { reason: 'colo-place', broken: ({ misplaced }) => misplaced },
  { reason: 'colo-missing-key', broken: ({ disk }) => disk && lacks(missingColoKeys(disk).map(([, key]) => key)) },
  { reason: 'colo-port-range', broken: ({ disk }) => disk && portProblem(disk.coloPort) },
  {
    reason: 'colo-different-secondary',
    broken: ({ disk, first }) =>
      disk && first && differentServer(disk, first) !== undefined
        ? `all COLO disks of a guest have one colo-host and colo-port, and ${first.vdev} has others`
        : undefined,
  },
  {
    reason: 'colo-export-id',
    broken: ({ disk, ids }) =>
      ids && disk?.coloExport && !isQemuId(disk.coloExport) && `QEMU takes no id ${show(disk.coloExport)}`,
    fix: 'colo-export is a letter, then letters, digits, - . _',
  },
  {
    reason: 'colo-export-taken',
    broken: ({ disk, ids }) =>
      disk?.coloExport &&
      ids?.ways.has(disk.coloExport) &&
      `colo-export ${show(disk.coloExport)} is libxl's name for the way to the other host`,
    fix: 'give it another name',
  },
  {
    reason: 'colo-export-taken',
    broken: ({ disk, ids }) =>
      disk?.coloExport &&
      !ids?.ways.has(disk.coloExport) &&
      ids?.taken.has(disk.coloExport) &&
      `colo-export ${show(disk.coloExport)} is the id of another drive`,
    fix: 'give it another name',
  },
]

/** Not among QEMU's arguments' reasons to refuse: those warn of an image in two roles, of all disks together. */
const sameDisk: ColoRule<'colo-same-disk'> = {
  reason: 'colo-same-disk',
  broken: ({ disk }) =>
    disk &&
    sharedRoles(disk)
      .map(({ why }) => why)
      .join(', '),
  fix: 'give each an image of its own',
}

/** The first rule that makes QEMU's arguments impossible. */
export const firstBrokenRule = (facts: ColoFacts): BrokenRule | undefined => look(rules, facts).next().value

/** All rules that a disk breaks, in their order. */
export function* brokenRules(facts: ColoFacts): Generator<BrokenRule<ColoReason | 'colo-same-disk'>, undefined> {
  yield* look(rules, facts)
  yield* look([sameDisk], facts)
}

/** Why it is broken, and what to do about it, in one sentence. */
export const sentence = ({ why, fix }: BrokenRule<string>): string => (fix === undefined ? why : `${why}: ${fix}`)

function* look<Reason extends string>(
  table: readonly ColoRule<Reason>[],
  facts: ColoFacts,
): Generator<BrokenRule<Reason>, undefined> {
  for (const { reason, field, broken, fix } of table) {
    const why = broken(facts)
    if (why) yield { reason, field, why, fix }
  }
}

/** libxl's name for a disk's way to the other host. */
export const wayId = (devid: number | undefined): string => `colo_node${devid}`

/** Says that keys are missing. */
function lacks(keys: readonly string[]): string | undefined {
  if (keys.length === 0) return undefined
  return `COLO needs ${keys.join(', ')}, which ${keys.length > 1 ? 'are' : 'is'} not set`
}

/** What is wrong with a port that is set; `written` is how it was. */
export const portProblem = (port: number, written = String(port)): string | undefined =>
  port < 0 || port > 65535 ? `colo-port is a number from 1 to 65535, not ${written}` : undefined

type Server = Pick<DeviceDisk, 'coloHost' | 'coloPort'>

/** What two COLO disks of a guest do not have in common: a QEMU has one NBD server. */
export function differentServer(disk: Server, first: Server): keyof Server | undefined {
  if (disk.coloHost !== first.coloHost) return 'coloHost'
  return disk.coloPort === first.coloPort ? undefined : 'coloPort'
}
