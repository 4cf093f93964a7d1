import { checkText, wrongValue } from '../../check-argument.js'

/** Where a member of a cluster listens for clients. */
export interface EtcdEndpoint {
  isSecure: boolean
  host: string
  port: number
}

/** Reads `http://host:2379` or `https://host:2379`. @throws TypeError */
export function readEndpoint(name: string, text: unknown): EtcdEndpoint {
  checkText(name, text)
  const url = URL.canParse(text as string) ? new URL(text as string) : undefined
  const isPlain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!isPlain || url.pathname !== '/' || !['http:', 'https:'].includes(url.protocol))
    throw wrongValue(name, "a member's http://HOST:PORT or https://HOST:PORT", text)
  const isSecure = url.protocol === 'https:'
  // brackets are a URL's, and no part of an address of IPv6
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { isSecure, host, port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port) }
}

export const shownEndpoint = ({ host, port }: EtcdEndpoint): string => `${host}:${port}`
