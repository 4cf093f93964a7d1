import { options } from '../option-table.js'
import { verbs } from '../verbs.js'

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Brackets and colons end the parts of an argument to _arguments and _describe. */
const plain = (text: string): string => text.replace(/[[\]:]/g, '\\$&')

const argumentsOf = options.map(({ name, short, takes, values, file, help }) => {
  const value = takes === undefined ? '' : `:${plain(takes)}:${values ? `(${values.join(' ')})` : file ? '_files' : ''}`
  const forms = short ? `{-${short},--${name}}` : `--${name}`
  const again = name === 'disk' ? "'*'" : ''
  return `${again}${forms}${quote(`[${plain(help)}]${value}`)}`
})

const described = Object.entries(verbs).map(([name, { help }]) => quote(`${name}:${plain(help)}`))

export const zshCompletion = (): string => `#compdef xl-colo
# zsh completion for xl-colo
_xl_colo_verbs() {
  local -a verbs=(
    ${described.join('\n    ')}
  )
  _describe verb verbs
}
_xl_colo() {
  _arguments -s \\
    ${argumentsOf.join(' \\\n    ')} \\
    '1:verb:_xl_colo_verbs' \\
    '*:file:_files'
}
if [[ \${funcstack[1]} == _xl_colo ]]; then _xl_colo "$@"; else compdef _xl_colo xl-colo; fi
`
