import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Finding, LintRule } from './finding.js'
import { nothing } from './finding.js'

const keys = [
  ['coloHost', 'colo-host'],
  ['coloPort', 'colo-port'],
  ['coloExport', 'colo-export'],
  ['activeDisk', 'active-disk'],
  ['hiddenDisk', 'hidden-disk'],
] as const

type ColoField = (typeof keys)[number][0]

/** libxl takes `colo` without its five keys, and the keys without `colo`; either way the disk is not replicated. */
export const coloKeys: LintRule = context => {
  const { disk } = context
  const findings: Finding[] = []
  for (const [field, key] of keys) {
    if (disk.coloEnable && !disk[field]) {
      const at = context.parameterSpan(isGiven(disk, field) ? field : 'coloEnable')
      findings.push({ code: 'colo-missing-key', message: `colo needs ${key}`, at, hint: `add ${key}=…` })
    } else if (!disk.coloEnable && isGiven(disk, field)) {
      findings.push({
        code: 'colo-key-without-colo',
        message: `${key} does nothing without colo`,
        at: context.parameterSpan(field),
        hint: 'add colo, or remove the key',
      })
    }
  }
  return findings.length > 0 ? findings : nothing
}

const isGiven = (disk: DeviceDisk, field: ColoField): boolean => disk[field] !== undefined && disk[field] !== 0
