import type { Option } from './option.js'

/** Of `--help`, what begins a row, and how wide that column is. */
const row = (left: string, help: string, width: number): string =>
  left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${help}` : `  ${left.padEnd(width)}  ${help}`

export const optionRows = (options: readonly Option[], width: number): string =>
  options
    .map(({ name, short, takes, values, help }) => {
      const value = takes === undefined ? '' : ` ${values ? values.join('|') : takes}`
      return row(`${short ? `-${short}, ` : '    '}--${name}${value}`, help, width)
    })
    .join('\n')

export const verbRows = (verbs: Readonly<Record<string, { words: string; help: string }>>, width: number): string =>
  Object.entries(verbs)
    .map(([name, { words, help }]) => row(`${name}${words}`, help, width))
    .join('\n')

export const exitStatusRows = (
  statuses: Readonly<Record<string, readonly [status: number, meaning: string]>>,
): string =>
  Object.values(statuses)
    .map(([status, meaning]) => `  ${String(status).padStart(3)}  ${meaning}`)
    .join('\n')
