import { zshOptions, zshPlain, zshQuote } from '../../command-line/completion/zsh-options.js'
import { diskFlags, diskKeys } from '../../xlu/disk-keys.js'
import { options } from '../option-table.js'

const keys = [...diskKeys].map(([key, { values, takes }]) => {
  const value = values ? `(${values.join(' ')})` : takes?.includes('path') ? '_files' : ' '
  return zshQuote(`${key}[${zshPlain(takes ?? 'one of a few words')}]:${key}:${value}`)
})

export const zshCompletion = (): string => `#compdef xl-disk-parse
# zsh completion for xl-disk-parse
_xl_disk_spec() {
  _values -s , 'disk spec' \\
    ${[...keys, ...diskFlags.map(flag => zshQuote(flag))].join(' \\\n    ')}
}
_xl_disk_parse() {
  _arguments -s \\
    ${zshOptions(options).join(' \\\n    ')} \\
    '*:spec:_xl_disk_spec'
}
if [[ \${funcstack[1]} == _xl_disk_parse ]]; then _xl_disk_parse "$@"; else compdef _xl_disk_parse xl-disk-parse; fi
`
