import { fishOptions, fishQuote } from '../../command-line/completion/fish-options.js'
import { options } from '../option-table.js'
import { pathKeys, specWords, valuedKeys } from './spec-words.js'

const cases = valuedKeys.map(
  ([key, values]) => `        case ${fishQuote(`${key}=*`)}
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
        case ${pathKeys.map(key => fishQuote(`${key}=*`)).join(' ')}
            set -l key (string replace -r '=.*' '=' -- $part)
            set words $key(__fish_complete_path (string replace -- $key '' $part))
    end
    printf '%s\\n' $before$words
end
complete -c xl-disk-parse -f -a '(__xl_disk_parse_spec)'
${fishOptions('xl-disk-parse', options).join('\n')}
`
