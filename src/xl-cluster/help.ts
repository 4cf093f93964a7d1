import { exitStatusRows, optionRows, verbRows } from '../command-line/help-rows.js'
import { exitStatuses } from './exit-status.js'
import { options } from './option-table.js'
import { verbs } from './verbs.js'

/** What --help writes. */
export function helpText(): string {
  return `Usage: xl-cluster VERB [options]

Puts replicated disks under Pacemaker, which decides where each is active.

Verbs:
${verbRows(verbs, width)}

Options:
${optionRows(options, width)}

Exit status:
${exitStatusRows(exitStatuses)}

Example, on each node; then the resource is made with pcs or crmsh (docs/cluster.md):
  xl-cluster install
`
}

const width = 26
