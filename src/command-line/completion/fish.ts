import { type CompletedCommand, fileVerbs } from './completed-command.js'
import { fishAfter, fishOptions, fishQuote } from './fish-options.js'

export function fishCompletion(command: CompletedCommand): string {
  const { name: program, verbs, options } = command
  const complete = `complete -c ${program}`
  const isNoVerb = `'not __fish_seen_subcommand_from ${Object.keys(verbs).join(' ')}'`
  const verbLines = Object.entries(verbs).flatMap(([name, { help, choices }]) => [
    `${complete} -f -n ${isNoVerb} -a ${name} -d ${fishQuote(help)}`,
    ...(choices ? [`${complete} -f -n ${fishAfter([name])} -a ${fishQuote(choices.join(' '))}`] : []),
  ])
  return `# fish completion for ${program}
${complete} -f
${verbLines.join('\n')}
${complete} -F -n ${fishAfter(fileVerbs(command))}
${fishOptions(program, options).join('\n')}
`
}
