import { type LintRule, nothing } from './finding.js'

const endings: ReadonlySet<string> = new Set(['qcow2', 'qcow', 'qed', 'vhd', 'vhdx', 'vmdk', 'vdi'])
const formats: ReadonlySet<string> = new Set(['qcow2', 'qcow', 'qed', 'vhd'])

/** An image file of some format given to the guest byte by byte: the guest sees the file's header, and may rewrite it. */
export const formatMismatch: LintRule = context => {
  const { format, pdevPath } = context.disk
  if (format !== 'raw' || pdevPath === undefined) return nothing
  if (pdevPath.indexOf('.', pdevPath.length - 6) < 0) return nothing
  const ending = pdevPath.slice(pdevPath.lastIndexOf('.') + 1).toLowerCase()
  if (!endings.has(ending)) return nothing
  return [
    {
      code: 'format-mismatch',
      field: 'format',
      message: `the format is raw, but the path ends in .${ending}`,
      at: context.valueSpan('pdevPath'),
      hint: formats.has(ending) ? `write format=${ending}` : `convert the image: xl has no format ${ending}`,
    },
  ]
}
