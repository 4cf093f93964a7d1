/** What an agent needs to know of a guest whose disks it serves. */
export interface InlineAgent {
  /** The agent's name. */
  name: string
  /** HOST:PORT, or a socket's path. */
  hub: string
  state: string
  run: string
  group: string
  disks: readonly { name: string; image: string; format: 'raw' | 'qcow2' }[]
}

/**
 * An agent's configuration that `readAgentConfig` reads back: YAML, written by hand, as the command that prints it starts faster than
 * the packages that could load. All texts are JSON strings, which YAML takes for the same.
 */
export function formatAgentConfig({ name, hub, state, run, group, disks }: InlineAgent): string {
  const top = Object.entries({ name, hub, state, run }).map(([key, value]) => `${key}: ${yamlText(value)}\n`)
  const rows = disks.map(
    disk => `      ${yamlText(disk.name)}:\n        image: ${yamlText(disk.image)}\n        format: ${disk.format}\n`,
  )
  const inner = rows.length === 0 ? ' {}\n' : `\n${rows.join('')}`
  return `${top.join('')}groups:\n  ${yamlText(group)}:\n    disks:${inner}`
}

/** What YAML takes for no text, and what would turn a terminal's line round, is escaped besides what JSON escapes. */
const yamlText = (text: string): string =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
