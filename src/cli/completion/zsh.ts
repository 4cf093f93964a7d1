import { diskFlags, diskKeys } from '../../xlu/disk-keys.js'
import { options } from '../option-table.js'

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Brackets and colons end the parts of an argument to _arguments and _values. */
const plain = (text: string): string => text.replace(/[[\]:]/g, '\\$&')

const argumentsOf = options.map(({ name, short, takes, values, file, help }) => {
  const value = takes === undefined ? '' : `:${takes}:${values ? `(${values.join(' ')})` : file ? '_files' : ''}`
  const forms = short ? `{-${short},--${name}}` : `--${name}`
  return `${forms}${quote(`[${plain(help)}]${value}`)}`
})

const keys = [...diskKeys].map(([key, { values, takes }]) => {
  const value = values ? `(${values.join(' ')})` : takes?.includes('path') ? '_files' : ' '
  return quote(`${key}[${plain(takes ?? 'one of a few words')}]:${key}:${value}`)
})

export const zshCompletion = (): string => `#compdef xl-disk-parse
# zsh completion for xl-disk-parse
_xl_disk_spec() {
  _values -s , 'disk spec' \\
    ${[...keys, ...diskFlags.map(flag => quote(flag))].join(' \\\n    ')}
}
_xl_disk_parse() {
  _arguments -s \\
    ${argumentsOf.join(' \\\n    ')} \\
    '*:spec:_xl_disk_spec'
}
if [[ \${funcstack[1]} == _xl_disk_parse ]]; then _xl_disk_parse "$@"; else compdef _xl_disk_parse xl-disk-parse; fi
`
