import { sharedRoles } from '../../libxl/colo-images.js'
import { brokenRules } from '../../libxl/colo-rules.js'
import type { DeviceDisk } from '../../libxl/device-disk.js'
import { fieldByReason } from '../../libxl/libxl-reason.js'
import { type Finding, type LintRule, nothing } from './finding.js'
import type { LintContext } from './lint-context.js'

/** Disks that COLO cannot protect, though libxl starts the domain; `coloKeys` and `coloPort` look at the keys and the port. */
export const coloDisk: LintRule = context => {
  const { disk } = context
  if (!disk.coloEnable) return nothing
  const backend = disk.backend === 'unknown' ? undefined : disk.backend
  const found: Finding[] = []
  for (const { reason, field, why, fix } of brokenRules({ disk, backend, chosenBy: disk, ids: noOthers })) {
    if (isUnknowable(reason)) continue
    if (reason === 'colo-same-disk') {
      found.push(...sameDisks(context, fix))
      continue
    }
    const subject = field ?? fieldByReason[reason]
    const pointer = subject && pointers[subject]
    if (pointer === undefined) continue
    const at = pointer.at === 'value' ? context.valueSpan(subject!) : context.parameterSpan(subject!)
    const hint = pointer.hint ?? fix
    found.push({ code: reason, field: subject!, message: why, at, ...(hint !== undefined && { hint }) })
  }
  return found
}

/** What a spec alone cannot tell. */
const isUnknowable = (reason: string): reason is 'colo-guest' | 'colo-place' | 'colo-export-taken' =>
  reason === 'colo-guest' || reason === 'colo-place' || reason === 'colo-export-taken'

/** Which ids the other drives have is known once they have places. */
const noOthers = { ways: new Set<string>(), taken: new Set<string>() }

/** What of a field's parameter is shown, and what to do about it in a spec, where that is not what the rule says. */
const pointers: { readonly [Field in keyof DeviceDisk]?: { at: 'value' | 'parameter'; hint?: string } } = {
  backend: { at: 'value', hint: 'write backendtype=qdisk, or leave it out' },
  script: { at: 'parameter', hint: 'remove script, or colo and its keys' },
  specification: { at: 'parameter', hint: 'remove specification, or colo and its keys' },
  isCdrom: { at: 'parameter', hint: 'remove colo and its keys' },
  readwrite: { at: 'value', hint: 'write access=rw, or remove colo and its keys' },
  coloExport: { at: 'value' },
}

const sameDisks = (context: LintContext, hint = ''): Finding[] =>
  sharedRoles(context.disk).map(({ field, other, otherRole, why }) => ({
    code: 'colo-same-disk',
    field,
    message: why,
    at: context.valueSpan(field),
    notes: [{ message: `${otherRole} given here`, at: context.valueSpan(other) }],
    hint,
  }))
