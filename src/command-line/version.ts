import { fs } from './fs.js'

/** The package's version. Its description lies two folders above the command, bundled or not. */
export function version(): string {
  const description: unknown = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return (description as { version: string }).version
}
