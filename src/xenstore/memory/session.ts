import { Buffer } from 'node:buffer'
import { errorReply, type Operation, operations, watchEvent } from '../operation.js'
import { encodePacket, type Packet, payloadMax } from '../packet.js'
import { OversizedPacket, PacketReader } from '../packet-reader.js'
import { control } from './control.js'
import { domainHandlers } from './domain-handlers.js'
import { type Domain, isPrivileged } from './domains.js'
import { featureHandlers } from './feature-handlers.js'
import { nodeHandlers } from './node-handlers.js'
import type { Peer } from './peer.js'
import { Refusal } from './refusal.js'
import type { Handler, Request } from './request.js'
import type { Store } from './store.js'
import type { StoreTransaction } from './store-transaction.js'
import { transactionHandlers } from './transaction-handlers.js'
import { watchHandlers } from './watch-handlers.js'

const byName: Record<Operation, Handler> = {
  CONTROL: control,
  ...nodeHandlers,
  ...watchHandlers,
  ...transactionHandlers,
  ...domainHandlers,
  ...featureHandlers,
}
const handlers = new Map(Object.entries(operations).map(([name, type]) => [type as number, byName[name as Operation]]))

/** Where a session's packets go. */
export interface SessionOutlet {
  send(packet: Buffer): void
  /** Nothing more comes: the store has ended the connection. */
  end(): void
}

/** One connection, of one domain: takes bytes and sends replies and watch events. */
export class Session implements Peer {
  readonly domain: Domain
  readonly transactions = new Map<number, StoreTransaction>()
  readonly #store: Store
  readonly #outlet: SessionOutlet
  readonly #reader = new PacketReader()
  #nextTransactionId = 1

  constructor(store: Store, domain: Domain, outlet: SessionOutlet) {
    this.#store = store
    this.domain = domain
    this.#outlet = outlet
    store.sessions.add(this)
  }

  receive(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes, packet => {
        if (this.#open) this.#serve(packet)
      })
    } catch (error) {
      if (!(error instanceof OversizedPacket)) throw error
      this.end()
    }
  }

  sendEvent(path: string, token: string): void {
    const payload = Buffer.from(`${path}\0${token}\0`, 'latin1')
    if (payload.length > payloadMax) return
    this.#send({ type: watchEvent, requestId: 0, transactionId: 0, payload })
  }

  begin(transaction: StoreTransaction): number {
    while (this.#nextTransactionId === 0 || this.transactions.has(this.#nextTransactionId)) this.#countUp()
    const id = this.#nextTransactionId
    this.#countUp()
    this.transactions.set(id, transaction)
    return id
  }

  reset(): undefined {
    this.#store.watches.deleteOf(this)
    this.transactions.clear()
  }

  /** The other side is gone. */
  close(): void {
    this.reset()
    this.#store.sessions.delete(this)
  }

  end(): void {
    if (!this.#open) return
    this.close()
    this.#outlet.end()
  }

  get #open(): boolean {
    return this.#store.sessions.has(this)
  }

  #countUp(): void {
    this.#nextTransactionId = (this.#nextTransactionId + 1) >>> 0
  }

  #serve(packet: Packet): void {
    const { type, requestId, transactionId } = packet
    try {
      const { payload, afterReply } = this.#answer(packet)
      this.#send({ type, requestId, transactionId, payload })
      afterReply?.()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#send({ type: errorReply, requestId, transactionId, payload: text(error.code) })
    }
  }

  #answer({ type, transactionId, payload }: Packet): { payload: Buffer; afterReply: (() => void) | undefined } {
    const handler = handlers.get(type)
    if (handler === undefined) throw new Refusal('ENOSYS')
    if (handler.privileged && !isPrivileged(this.domain)) throw new Refusal('EACCES')
    const id = handler.outsideTransactions ? 0 : transactionId
    const transaction = this.transactions.get(id)
    if (id !== 0 && transaction === undefined) throw new Refusal('ENOENT')
    const store = this.#store
    const request: Request = {
      store,
      session: this,
      domain: this.domain,
      payload,
      transactionId: id,
      transaction,
      nodes: transaction ?? store,
    }
    const answer = handler.answer(request) ?? 'OK'
    const reply = typeof answer === 'string' ? text(answer) : answer
    if (reply.length > payloadMax) throw new Refusal('E2BIG')
    return { payload: reply, afterReply: request.afterReply }
  }

  #send(packet: Packet): void {
    this.#outlet.send(encodePacket(packet))
  }
}

const text = (string: string): Buffer => Buffer.from(`${string}\0`, 'latin1')
