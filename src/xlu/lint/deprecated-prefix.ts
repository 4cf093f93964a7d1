import { formatDisk } from '../format-disk.js'
import { type LintRule, nothing } from './finding.js'

/** `raw:`, `tap:qcow2:` and their like, which xl keeps for xend's sake only. */
export const deprecatedPrefix: LintRule = context =>
  context.parameters.some(parameters => parameters.some(({ key }) => key === 'prefixes')) ? findings(context) : nothing

function* findings(context: Parameters<LintRule>[0]) {
  const modern = formatDisk(context.disk)
  for (const { parameter, word } of context.find('prefixes')) {
    if (parameter.key !== 'prefixes') continue
    const last = parameter.value.at(-1)!
    const at = context.span(word, parameter.at, last.at + last.key.length + 1)
    const names = parameter.value.map(({ key }) => `${key}:`).join('')
    yield { code: 'deprecated-prefix', message: `the prefix ${names} is deprecated`, at, hint: `write ${modern}` }
  }
}
