import { options } from '../option-table.js'
import { pathKeys, specWords, valuedKeys } from './spec-words.js'

const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`

const optionLines = options.map(({ name, short, takes, values, file, help }) => {
  const value = takes === undefined ? '' : values ? ` -x -a ${quote(values.join(' '))}` : file ? ' -r -F' : ' -x'
  return `complete -c xl-disk-parse${short ? ` -s ${short}` : ''} -l ${name}${value} -d ${quote(help)}`
})

const cases = valuedKeys.map(
  ([key, values]) => `        case ${quote(`${key}=*`)}
            set words ${values.map(value => `${key}=${value}`).join(' ')}`,
)

export const fishCompletion = (): string => `# fish completion for xl-disk-parse
function __xl_disk_parse_spec
    set -l word (commandline -ct)
    set -l before (string replace -r '[^,]*$' '' -- $word)
    set -l words ${specWords.join(' ')}
    set -l part (string replace -r '.*,' '' -- $word)
    switch $part
${cases.join('\n')}
        case ${pathKeys.map(key => quote(`${key}=*`)).join(' ')}
            set -l key (string replace -r '=.*' '=' -- $part)
            set words $key(__fish_complete_path (string replace -- $key '' $part))
    end
    printf '%s\\n' $before$words
end
complete -c xl-disk-parse -f -a '(__xl_disk_parse_spec)'
${optionLines.join('\n')}
`
