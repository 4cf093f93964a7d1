import { bashFiles, bashNames, bashValues, bashWords } from './bash-options.js'
import { type CompletedCommand, type CompletedOption, fileVerbs, functionName } from './completed-command.js'

export function bashCompletion(command: CompletedCommand): string {
  const { name, verbs, options } = command
  const verbNames = Object.keys(verbs)
  const call = functionName(command)
  const ofVerb = verbNames.map(verb => `      ${verb}) words='${optionsOf(verb, options)}' ;;`)
  const ownWords = verbNames.flatMap(verb => choicesOf(verb, command))
  return `# bash completion for ${name}
${call}() {
  local line=\${COMP_LINE:0:COMP_POINT} word previous verb='' each before='' words=''
${bashWords}
  for each in $line; do
    case $each in ${verbNames.join('|')}) verb=$each; break ;; esac
  done
  case $previous in
${bashValues(options).join('\n')}
  esac
  if [[ -z $words && $word == -* ]]; then
    case $verb in
${ofVerb.join('\n')}
      *) words='${optionsOf(undefined, options)}' ;;
    esac
  elif [[ -z $words ]]; then
    case $verb in
      '') words='${verbNames.join(' ')}' ;;
${[...ownWords, ...bashFiles(fileVerbs(command), '      ')].join('\n')}
    esac
  fi
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F ${call} ${name}
`
}

const optionsOf = (verb: string | undefined, options: readonly CompletedOption[]): string =>
  bashNames(options.filter(({ of }) => verb === undefined || of === undefined || of.includes(verb)))

function choicesOf(verb: string, { verbs }: CompletedCommand): string[] {
  const { choices } = verbs[verb]!
  return choices ? [`      ${verb}) words='${choices.join(' ')}' ;;`] : []
}
