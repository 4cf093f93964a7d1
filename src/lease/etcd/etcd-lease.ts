import { isNotFound } from './etcd-refusal.js'
import type { Gateway, GatewayOptions } from './gateway.js'
import { int64, object, unexpected } from './reply-fields.js'

/** Has etcd make a lease, with which no key goes yet. It ends no earlier than `ttl` milliseconds after this is called. @returns its number */
export async function grantLease(gateway: Gateway, ttl: number, options?: GatewayOptions): Promise<string> {
  const reply = await gateway.ask('lease/grant', { TTL: String(Math.ceil(ttl / 1000)), ID: '0' }, options)
  const { ID, TTL } = object(reply, 'a reply')
  if (Number(int64(TTL, 'a time')) * 1000 < ttl) throw unexpected('a shorter lease than was asked for')
  return int64(ID, 'a lease')
}

/** Ends a lease, and removes the keys that go with it now. One that is not there has ended. @throws as `Gateway.ask` */
export async function revokeLease(gateway: Gateway, lease: string, options?: GatewayOptions): Promise<void> {
  try {
    await gateway.ask('lease/revoke', { ID: lease }, options)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
