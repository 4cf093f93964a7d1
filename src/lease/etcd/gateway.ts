/** What is asked of etcd's JSON gateway, by the end of its path: /v3/… */
export type GatewayPath = 'kv/range' | 'kv/txn' | 'lease/grant' | 'lease/revoke'

export interface GatewayOptions {
  signal?: AbortSignal | undefined
}

/** The way to a cluster of etcd. */
export interface Gateway {
  /**
   * Asks one member after another until one answers. So it may be done twice, and the second time much later; and where nobody answers, it may be
   * done or not.
   *
   * @returns the reply, which is any JSON
   * @throws EtcdRefusal; LeaseError unreachable, canceled
   */
  ask(path: GatewayPath, body: object, options?: GatewayOptions): Promise<unknown>
  /**
   * Follows changes at one member: what it says, each any JSON, until the stream ends in whatever way.
   *
   * @throws LeaseError unreachable, canceled; EtcdRefusal
   */
  watch(body: object, options?: GatewayOptions): AsyncIterableIterator<unknown>
}
