import { type CompletedCommand, type CompletedOption, fileVerbs, functionName } from './completed-command.js'

/** bash splits words at = and : before a completion sees them, so the word is taken from the line itself. */
export function bashCompletion(command: CompletedCommand): string {
  const { name, verbs, options } = command
  const verbNames = Object.keys(verbs)
  const call = functionName(command)
  const ofVerb = verbNames.map(verb => `      ${verb}) words='${optionsOf(verb, options)}' ;;`)
  const ownWords = verbNames.flatMap(verb => choicesOf(verb, command))
  return `# bash completion for ${name}
${call}() {
  local line=\${COMP_LINE:0:COMP_POINT} word previous verb='' each before='' words=''
  word=\${line##*[[:space:]]}
  line=\${line%"$word"}
  for each in $line; do
    case $each in ${verbNames.join('|')}) verb=$each; break ;; esac
  done
  line=\${line%"\${line##*[![:space:]]}"}
  previous=\${line##*[[:space:]]}
  if [[ $word == --*=* ]]; then
    previous=\${word%%=*}
    word=\${word#*=}
  fi
  case $previous in
${valueCases(options).join('\n')}
  esac
  if [[ -z $words && $word == -* ]]; then
    case $verb in
${ofVerb.join('\n')}
      *) words='${optionsOf(undefined, options)}' ;;
    esac
  elif [[ -z $words ]]; then
    case $verb in
      '') words='${verbNames.join(' ')}' ;;
${[...ownWords, ...filesCase(fileVerbs(command), '      ')].join('\n')}
    esac
  fi
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F ${call} ${name}
`
}

const optionsOf = (verb: string | undefined, options: readonly CompletedOption[]): string =>
  options
    .flatMap(({ name, short, of }) => {
      if (verb !== undefined && of !== undefined && !of.includes(verb)) return []
      return [`--${name}`, ...(short ? [`-${short}`] : [])]
    })
    .join(' ')

function choicesOf(verb: string, { verbs }: CompletedCommand): string[] {
  const { choices } = verbs[verb]!
  return choices ? [`      ${verb}) words='${choices.join(' ')}' ;;`] : []
}

/** What comes behind an option. */
function valueCases(options: readonly CompletedOption[]): string[] {
  const isList = ({ file, takes }: CompletedOption) => file === true && takes?.includes(',') === true
  const named = (which: (option: CompletedOption) => boolean) => options.filter(which).map(({ name }) => `--${name}`)
  const lists = named(isList)
  const free = named(({ takes, values, file }) => takes !== undefined && !values && !file)
  return [
    ...options.flatMap(({ name, values }) => (values ? [`    --${name}) words='${values.join(' ')}' ;;`] : [])),
    ...(lists.length === 0
      ? []
      : [
          `    ${lists.join('|')})
      compopt -o filenames
      [[ $word == *,* ]] && before=\${word%,*},
      mapfile -t COMPREPLY < <(compgen -f -P "$before" -- "\${word#"$before"}")
      return ;;`,
        ]),
    ...filesCase(
      named(option => option.file === true && !isList(option)),
      '    ',
    ),
    ...(free.length === 0 ? [] : [`    ${free.join('|')}) return ;;`]),
  ]
}

const filesCase = (names: readonly string[], indent: string): string[] =>
  names.length === 0
    ? []
    : [
        `${indent}${names.join('|')})
${indent}  compopt -o filenames
${indent}  mapfile -t COMPREPLY < <(compgen -f -- "$word")
${indent}  return ;;`,
      ]
