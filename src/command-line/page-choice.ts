import type { SocketAddress } from '../link/node/socket-address.js'
import type { PageOptionName } from './page-options.js'
import { readMetricsAddress } from './read-value.js'
import { UsageError } from './usage-error.js'

/** Where a command's page is, and who may see it. */
export interface PageChoice {
  address: SocketAddress
  /** The file of its secret. */
  token: string
  /** A folder with cert.pem and key.pem; HTTP without it. */
  tls: string | undefined
  /** A name by which browsers may ask for it. */
  host: string | undefined
}

/** Reads the options of a page; undefined where there is to be none. @throws UsageError */
export function readPageChoice(lastOf: (name: PageOptionName) => string | undefined): PageChoice | undefined {
  const given = (name: PageOptionName) => {
    const text = lastOf(name)
    if (text === '') throw new UsageError(`--${name} is empty`)
    return text
  }
  const [page, token, tls, host] = [given('page'), given('page-token'), given('page-tls'), given('page-host')]
  if (page === undefined) {
    const stray = (['page-token', 'page-tls', 'page-host'] as const).find(name => lastOf(name) !== undefined)
    if (stray === undefined) return undefined
    throw new UsageError(`--${stray} is for --page only: where is the page?`)
  }
  if (token === undefined)
    throw new UsageError(
      '--page needs --page-token FILE: a secret to log in with, which is made where there is no file',
    )
  return { address: readMetricsAddress('--page', page), token, tls, host }
}
