import type { Option } from '../../command-line/option.js'
import { options } from '../option-table.js'
import { pathKeys, specWords, valuedKeys } from './spec-words.js'

const optionWords = options.flatMap(({ name, short }) => [`--${name}`, ...(short ? [`-${short}`] : [])]).join(' ')

const afterOption = options.flatMap(({ name, short, values }) =>
  values ? [`    --${name}${short ? `|-${short}` : ''}) words='${values.join(' ')}' ;;`] : [],
)

/** The options whose value is a file's name, and those whose value nobody can guess. */
const names = (given: readonly Option[]) => given.map(({ name }) => `--${name}`).join('|')
const files = names(options.filter(({ file }) => file))
const free = names(options.filter(({ takes, values, file }) => takes !== undefined && !values && !file))

const ofKey = valuedKeys.map(
  ([key, values]) => `      ${key}=*) words='${values.map(value => `${key}=${value}`).join(' ')}' ;;`,
)

/** bash splits words at = and : before a completion sees them, so the word is taken from the line itself. */
export const bashCompletion = (): string => `# bash completion for xl-disk-parse
_xl_disk_parse() {
  local line=\${COMP_LINE:0:COMP_POINT} word previous before='' part words='' files=''
  word=\${line##*[[:space:]]}
  line=\${line%"$word"}
  line=\${line%"\${line##*[![:space:]]}"}
  previous=\${line##*[[:space:]]}
  if [[ $word == --*=* ]]; then
    previous=\${word%%=*}
    word=\${word#*=}
  fi
  case $previous in
${afterOption.join('\n')}
    ${files})
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return ;;
    ${free}) return ;;
  esac
  if [[ -z $words && $word == -* ]]; then
    words='${optionWords}'
  elif [[ -z $words ]]; then
    compopt -o nospace
    [[ $word == *,* ]] && before=\${word%,*},
    part=\${word#"$before"}
    case $part in
${ofKey.join('\n')}
      ${pathKeys.map(key => `${key}=*`).join('|')}) files=\${part%%=*}= ;;
      *) words='${specWords.join(' ')}' ;;
    esac
  fi
  local IFS=$' \\t\\n' split=\${word%"\${word##*[=:]}"}
  if [[ $files ]]; then
    mapfile -t COMPREPLY < <(compgen -f -P "$before$files" -- "\${part#"$files"}")
  else
    COMPREPLY=($(compgen -P "$before" -W "$words" -- "\${word#"$before"}"))
  fi
  COMPREPLY=("\${COMPREPLY[@]#"$split"}")
}
complete -F _xl_disk_parse xl-disk-parse
`
