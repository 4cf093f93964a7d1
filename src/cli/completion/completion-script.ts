import type { Shell } from '../command.js'

export function completionScript(_shell: Shell): string {
  return ''
}
