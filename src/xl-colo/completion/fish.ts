import { options } from '../option-table.js'
import { verbNames, verbs } from '../verbs.js'

const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`

const isNoVerb = `'not __fish_seen_subcommand_from ${verbNames.join(' ')}'`

const verbLines = Object.entries(verbs).map(
  ([name, { help }]) => `complete -c xl-colo -f -n ${isNoVerb} -a ${name} -d ${quote(help)}`,
)

const optionLines = options.map(({ name, short, takes, values, file, of, help }) => {
  const when = of === undefined ? '' : ` -n '__fish_seen_subcommand_from ${of.join(' ')}'`
  const value = takes === undefined ? '' : values ? ` -x -a ${quote(values.join(' '))}` : file ? ' -r -F' : ' -x'
  return `complete -c xl-colo${when}${short ? ` -s ${short}` : ''} -l ${name}${value} -d ${quote(help)}`
})

export const fishCompletion = (): string => `# fish completion for xl-colo
complete -c xl-colo -f
${verbLines.join('\n')}
complete -c xl-colo -F -n '__fish_seen_subcommand_from prepare'
${optionLines.join('\n')}
`
