import { type CompletedCommand, fileVerbs } from './completed-command.js'

export function fishCompletion(command: CompletedCommand): string {
  const { name: program, verbs, options } = command
  const complete = `complete -c ${program}`
  const isNoVerb = `'not __fish_seen_subcommand_from ${Object.keys(verbs).join(' ')}'`
  const after = (words: readonly string[]) => `'__fish_seen_subcommand_from ${words.join(' ')}'`
  const verbLines = Object.entries(verbs).flatMap(([name, { help, choices }]) => [
    `${complete} -f -n ${isNoVerb} -a ${name} -d ${quote(help)}`,
    ...(choices ? [`${complete} -f -n ${after([name])} -a ${quote(choices.join(' '))}`] : []),
  ])
  const optionLines = options.map(({ name, short, takes, values, file, of, help }) => {
    const when = of === undefined ? '' : ` -n ${after(of)}`
    const value = takes === undefined ? '' : values ? ` -x -a ${quote(values.join(' '))}` : file ? ' -r -F' : ' -x'
    return `${complete}${when}${short ? ` -s ${short}` : ''} -l ${name}${value} -d ${quote(help)}`
  })
  return `# fish completion for ${program}
${complete} -f
${verbLines.join('\n')}
${complete} -F -n ${after(fileVerbs(command))}
${optionLines.join('\n')}
`
}

const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`
