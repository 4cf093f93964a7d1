import type { DiskField } from '../disk-reader.js'
import { type Finding, type LintRule, nothing } from './finding.js'
import type { LintContext } from './lint-context.js'

/** Disks that COLO cannot protect, though libxl starts the domain. */
export const coloDisk: LintRule = context => (context.disk.coloEnable ? findings(context) : nothing)

function findings(context: LintContext): Finding[] {
  const { backend, isCdrom, readwrite } = context.disk
  const found: Finding[] = []
  if (backend !== 'unknown' && backend !== 'qdisk') {
    found.push({
      code: 'colo-backend',
      message: `colo needs the backend qdisk, not ${backend}`,
      at: context.valueSpan('backend'),
      hint: 'write backendtype=qdisk, or leave it out',
    })
  }
  if (isCdrom) {
    found.push({
      code: 'colo-cdrom',
      message: 'colo does not replicate a cdrom',
      at: context.parameterSpan('isCdrom'),
      hint: 'remove colo and its keys',
    })
  } else if (!readwrite) {
    found.push({
      code: 'colo-read-only',
      message: 'colo replicates writes, and the disk is read-only',
      at: context.valueSpan('readwrite'),
      hint: 'write access=rw, or remove colo and its keys',
    })
  }
  return [...found, ...sameDisks(context)]
}

const images = [
  ['pdevPath', 'target'],
  ['activeDisk', 'active-disk'],
  ['hiddenDisk', 'hidden-disk'],
] as const satisfies readonly (readonly [DiskField, string])[]

/** The secondary writes all three: one file in two roles loses the guest's data. */
function* sameDisks(context: LintContext): Generator<Finding> {
  const { disk } = context
  for (const [index, [field, key]] of images.entries()) {
    const twin = images.slice(0, index).find(([other]) => disk[field] && disk[other] === disk[field])
    if (!twin) continue
    yield {
      code: 'colo-same-disk',
      message: `${key} and ${twin[1]} are the same`,
      at: context.valueSpan(field),
      notes: [{ message: `${twin[1]} given here`, at: context.valueSpan(twin[0]) }],
      hint: 'give each an image of its own',
    }
  }
}
