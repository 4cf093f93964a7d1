import { diskFlags, diskKeys } from '../disk-keys.js'
import type { DiskField } from '../refusal.js'
import { type Finding, type LintRule, nothing } from './finding.js'
import type { LintContext } from './lint-context.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
const control = /[\x00-\x1f\x7f]/

/** Characters in a path that some reader further on takes for something else. */
export const pathCharacters: LintRule = context => {
  const { pdevPath, activeDisk, hiddenDisk } = context.disk
  const comma = pdevPath !== undefined && pdevPath.indexOf(',') >= 0
  if (!comma && !suspicious(pdevPath) && !suspicious(activeDisk) && !suspicious(hiddenDisk)) return nothing
  return found(context, comma)
}

function found(context: LintContext, comma: boolean): Finding[] {
  const { pdevPath } = context.disk
  const findings: Finding[] = []
  if (comma) {
    findings.push({
      code: 'path-comma',
      field: 'pdevPath',
      message: 'the target holds a comma, at which libxl lets QEMU end the file name and read options',
      at: context.valueSpan('pdevPath'),
      hint: keyInside(pdevPath ?? ''),
    })
  }
  for (const field of ['pdevPath', 'activeDisk', 'hiddenDisk'] satisfies DiskField[]) {
    if (!suspicious(context.disk[field])) continue
    findings.push({
      code: 'path-control',
      field,
      message: 'a control character in a path',
      at: context.valueSpan(field),
      hint: 'a line end or tab often slips in from a file that the path was read from',
    })
  }
  return findings
}

/** Everything behind `target=` is the target, and so is a parameter that was put there. */
function keyInside(path: string): string {
  const [, key = ''] = /,[ \t]*([a-z][-a-z_]*)(?:=|,|$)/.exec(path) ?? []
  const known = diskKeys.has(key) || (diskFlags as readonly string[]).includes(key)
  return known ? `target= takes the rest of the line: put ${key} before it` : 'rename the image or use a link to it'
}

const suspicious = (path: string | undefined): boolean => path !== undefined && path !== '' && control.test(path)
