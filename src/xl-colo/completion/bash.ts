import { options } from '../option-table.js'
import { type Verb, verbNames } from '../verbs.js'

const wordsOf = (verb: Verb | undefined): string =>
  options
    .flatMap(({ name, short, of }) => {
      if (verb !== undefined && of !== undefined && !of.includes(verb)) return []
      return [`--${name}`, ...(short ? [`-${short}`] : [])]
    })
    .join(' ')

const ofVerb = verbNames.map(verb => `      ${verb}) words='${wordsOf(verb)}' ;;`)
const valued = options.flatMap(({ name, values }) => (values ? [`    --${name}) words='${values.join(' ')}' ;;`] : []))
const files = options.flatMap(({ name, file }) => (file ? [`--${name}`] : []))
const free = options.flatMap(({ name, takes, values, file }) => (takes && !values && !file ? [`--${name}`] : []))

/** bash splits words at = and : before a completion sees them, so the word is taken from the line itself. */
export const bashCompletion = (): string => `# bash completion for xl-colo
_xl_colo() {
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
${valued.join('\n')}
    ${files.join('|')})
      compopt -o filenames
      [[ $word == *,* ]] && before=\${word%,*},
      mapfile -t COMPREPLY < <(compgen -f -P "$before" -- "\${word#"$before"}")
      return ;;
    ${free.join('|')}) return ;;
  esac
  if [[ -z $words && $word == -* ]]; then
    case $verb in
${ofVerb.join('\n')}
      *) words='${wordsOf(undefined)}' ;;
    esac
  elif [[ -z $words && -z $verb ]]; then
    words='${verbNames.join(' ')}'
  elif [[ -z $words && $verb == prepare ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
  fi
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _xl_colo xl-colo
`
