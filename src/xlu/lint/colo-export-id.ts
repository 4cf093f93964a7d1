import { type LintRule, nothing } from './finding.js'

/** QEMU's rule for identifiers (id_wellformed): libxl makes the export's name the id of a drive. */
const identifier = /^[A-Za-z][-A-Za-z0-9._]*$/

export const coloExportId: LintRule = context => {
  const { coloEnable, coloExport } = context.disk
  if (!coloEnable || !coloExport || identifier.test(coloExport)) return nothing
  return [
    {
      code: 'colo-export-id',
      message: `QEMU refuses ${JSON.stringify(coloExport)} as the id of a drive`,
      at: context.valueSpan('coloExport'),
      hint: 'begin with a letter, go on with letters, digits, "-", "." or "_"',
    },
  ]
}
