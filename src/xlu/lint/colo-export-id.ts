import { isQemuId } from '../../libxl/qemu-id.js'
import { type LintRule, nothing } from './finding.js'

/** libxl makes the export's name the id of a drive. */
export const coloExportId: LintRule = context => {
  const { coloEnable, coloExport } = context.disk
  if (!coloEnable || !coloExport || isQemuId(coloExport)) return nothing
  return [
    {
      code: 'colo-export-id',
      field: 'coloExport',
      message: `QEMU refuses ${JSON.stringify(coloExport)} as the id of a drive`,
      at: context.valueSpan('coloExport'),
      hint: 'begin with a letter, go on with letters, digits, "-", "." or "_"',
    },
  ]
}
