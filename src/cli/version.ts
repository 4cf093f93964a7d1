import { readFileSync } from 'node:fs'

/** The package's version. Its description lies two folders above the command, bundled or not. */
export function version(): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return (description as { version: string }).version
}
