import { type Finding, type LintRule, nothing } from './finding.js'
import type { LintContext } from './lint-context.js'

/** Disks that COLO cannot protect, though libxl starts the domain. */
export const coloDisk: LintRule = context => {
  if (!context.disk.coloEnable) return nothing
  const found: Finding[] = []
  unprotected(context, found)
  sharedImages(context, found)
  return found
}

function unprotected(context: LintContext, found: Finding[]): void {
  const { backend, isCdrom, readwrite, script, specification } = context.disk
  if (backend !== 'unknown' && backend !== 'qdisk') {
    found.push({
      code: 'colo-backend',
      field: 'backend',
      message: `colo needs the backend qdisk, not ${backend}`,
      at: context.valueSpan('backend'),
      hint: 'write backendtype=qdisk, or leave it out',
    })
  }
  if (script !== undefined || specification === 'virtio') {
    const field = script === undefined ? 'specification' : 'script'
    found.push({
      code: 'colo-backend',
      field,
      message: `colo needs the backend qdisk, which takes no ${field === 'script' ? 'script' : 'virtio disk'}`,
      at: context.parameterSpan(field),
      hint: `remove ${field}, or colo and its keys`,
    })
  }
  if (isCdrom) {
    found.push({
      code: 'colo-cdrom',
      field: 'isCdrom',
      message: 'colo does not replicate a cdrom',
      at: context.parameterSpan('isCdrom'),
      hint: 'remove colo and its keys',
    })
  } else if (!readwrite) {
    found.push({
      code: 'colo-read-only',
      field: 'readwrite',
      message: 'colo replicates writes, and the disk is read-only',
      at: context.valueSpan('readwrite'),
      hint: 'write access=rw, or remove colo and its keys',
    })
  }
}

const roles = { pdevPath: 'target', activeDisk: 'active-disk', hiddenDisk: 'hidden-disk' } as const

/** The secondary writes all three: one file in two roles loses the guest's data. */
function sharedImages(context: LintContext, found: Finding[]): void {
  const { pdevPath, activeDisk, hiddenDisk } = context.disk
  const compare = (field: keyof typeof roles, other: keyof typeof roles) => {
    found.push({
      code: 'colo-same-disk',
      field,
      message: `${roles[field]} and ${roles[other]} are the same`,
      at: context.valueSpan(field),
      notes: [{ message: `${roles[other]} given here`, at: context.valueSpan(other) }],
      hint: 'give each an image of its own',
    })
  }
  if (activeDisk && activeDisk === pdevPath) compare('activeDisk', 'pdevPath')
  if (hiddenDisk && hiddenDisk === pdevPath) compare('hiddenDisk', 'pdevPath')
  else if (hiddenDisk && hiddenDisk === activeDisk) compare('hiddenDisk', 'activeDisk')
}
