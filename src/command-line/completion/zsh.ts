import { type CompletedCommand, functionName } from './completed-command.js'
import { zshOptions, zshPlain, zshQuote } from './zsh-options.js'

export function zshCompletion(command: CompletedCommand): string {
  const { name: program, verbs, options } = command
  const call = functionName(command)
  const described = Object.entries(verbs).map(([name, { help }]) => zshQuote(`${name}:${zshPlain(help)}`))
  return `#compdef ${program}
# zsh completion for ${program}
${call}_verbs() {
  local -a verbs=(
    ${described.join('\n    ')}
  )
  _describe verb verbs
}
${call}() {
  _arguments -s \\
    ${zshOptions(options).join(' \\\n    ')} \\
    '1:verb:${call}_verbs' \\
    '*:file:_files'
}
if [[ \${funcstack[1]} == ${call} ]]; then ${call} "$@"; else compdef ${call} ${program}; fi
`
}
