import { bashNames, bashValues, bashWords } from '../../command-line/completion/bash-options.js'
import { options } from '../option-table.js'
import { pathKeys, specWords, valuedKeys } from './spec-words.js'

const ofKey = valuedKeys.map(
  ([key, values]) => `      ${key}=*) words='${values.map(value => `${key}=${value}`).join(' ')}' ;;`,
)

export const bashCompletion = (): string => `# bash completion for xl-disk-parse
_xl_disk_parse() {
  local line=\${COMP_LINE:0:COMP_POINT} word previous before='' part words='' files=''
${bashWords}
  case $previous in
${bashValues(options).join('\n')}
  esac
  if [[ -z $words && $word == -* ]]; then
    words='${bashNames(options)}'
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
