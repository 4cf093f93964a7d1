import { type ColoField, coloKeys as keys, missingColoKeys } from '../../libxl/colo-keys.js'
import type { DeviceDisk } from '../../libxl/device-disk.js'
import { type Finding, type LintRule, nothing } from './finding.js'
import type { LintContext } from './lint-context.js'

/** libxl takes `colo` without its five keys, and the keys without `colo`; either way the disk is not replicated. */
export const coloKeys: LintRule = context => {
  const { coloEnable, coloHost, coloPort, coloExport, activeDisk, hiddenDisk } = context.disk
  if (coloEnable) return missing(context)
  const strings = coloHost ?? coloExport ?? activeDisk ?? hiddenDisk
  return coloPort === 0 && strings === undefined ? nothing : useless(context)
}

const missing = (context: LintContext): Finding[] =>
  missingColoKeys(context.disk).map(([field, key]) => ({
    code: 'colo-missing-key',
    field,
    message: `colo needs ${key}`,
    at: context.parameterSpan(isGiven(context.disk, field) ? field : 'coloEnable'),
    hint: `add ${key}=...`,
  }))

const useless = (context: LintContext): Finding[] =>
  keys
    .filter(([field]) => isGiven(context.disk, field))
    .map(([field, key]) => ({
      code: 'colo-key-without-colo',
      field,
      message: `${key} does nothing without colo`,
      at: context.parameterSpan(field),
      hint: 'add colo, or remove the key',
    }))

const isGiven = (disk: DeviceDisk, field: ColoField): boolean => disk[field] !== undefined && disk[field] !== 0
