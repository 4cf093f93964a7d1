import { options } from '../option-table.js'
import { specWords, valuedKeys } from './spec-words.js'

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
    switch (string replace -r '.*,' '' -- $word)
${cases.join('\n')}
    end
    printf '%s\\n' $before$words
end
complete -c xl-disk-parse -f -a '(__xl_disk_parse_spec)'
${optionLines.join('\n')}
`
