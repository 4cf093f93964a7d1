import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { LeaseKeeper } from '../../lease/lease-keeper.js'
import type { MutualTls } from '../../link/node/mutual-tls.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { listenNbd, type NbdListener } from '../../nbd/node/listen-nbd.js'
import { printable } from '../../printable.js'
import { fileError } from '../hub/file-error.js'
import type { GroupLimits } from '../hub/group-record.js'
import { Hub } from '../hub/hub.js'
import { checkName } from '../hub/names.js'
import type { Rights } from '../hub/rights.js'
import type { TermLease } from '../hub/terms.js'
import { GroupJournal } from '../journal/group-journal.js'
import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import { GuestWatch } from './guest-watch.js'
import { HubListener } from './hub-listener.js'
import { nodeClock } from './node-clock.js'
import { NodeFolder } from './node-folder.js'
import { readText, writeText } from './record-text.js'
import { claimTerm, type Term } from './term.js'

export interface ServeHubOptions {
  /** The folder with all its data; made where it is not there, in one that is. */
  data: string
  /** The hub's name; over TLS that of its certificate. */
  name: string
  /** Where agents reach it. */
  listen?: SocketAddress | undefined
  /** Agents, and over TCP recovery guests, have to show a certificate of the same authority. */
  tls?: MutualTls | undefined
  /** Where recovery guests reach their disks. */
  nbd?: SocketAddress | undefined
  rights?: Rights | undefined
  limits?: GroupLimits | undefined
  groupLimits?: Readonly<Record<string, GroupLimits>> | undefined
  /** Groups that are there before an agent names them. */
  wanted?: readonly string[] | undefined
  groupsAtMost?: number | undefined
  /** Deflates what is worth it. */
  compress?: boolean | undefined
  /** Takes the data from a hub that has them. All is copied first: that one does no harm then. */
  takeOver?: boolean | undefined
  /** Has the data as long as this is held, and takes them from whoever has them. It is released at the end, also where serving fails. */
  lease?: LeaseKeeper | undefined
  /** How long an agent may be silent, in milliseconds. */
  silence?: number | undefined
  /** Hears that another hub has the data now, or that the lease is lost: this one ends. */
  onTakenOver?: ((problem: ReplicationError) => void) | undefined
  /** Hears what else goes wrong where nobody asked. */
  onProblem?: ((problem: ReplicationError) => void) | undefined
}

/** How often it looks after its groups, in milliseconds. */
const lookEvery = 1000
/** How many NBD clients there may be at a time. */
const clientsAtMost = 256

/** A hub on real files and sockets. */
export class ServedHub implements AsyncDisposable {
  readonly hub: Hub
  readonly #term: Term
  readonly #listener: HubListener | undefined
  readonly #nbd: NbdListener | undefined
  readonly #timer: ReturnType<typeof setInterval>
  readonly #options: Pick<ServeHubOptions, 'onTakenOver' | 'onProblem' | 'lease'>
  #looking: Promise<void> | undefined
  #closed: Promise<void> | undefined

  private constructor(
    hub: Hub,
    term: Term,
    { listener, nbd }: { listener: HubListener | undefined; nbd: NbdListener | undefined },
    options: Pick<ServeHubOptions, 'onTakenOver' | 'onProblem' | 'lease'>,
  ) {
    this.hub = hub
    this.#term = term
    this.#listener = listener
    this.#nbd = nbd
    this.#options = options
    this.#timer = setInterval(() => this.#look(), lookEvery)
    options.lease?.signal.addEventListener('abort', () => this.#look())
  }

  /** @throws ReplicationError owned where another hub has the data; LinkError with the system's code where it cannot listen */
  static async serve(options: ServeHubOptions): Promise<ServedHub> {
    try {
      return await ServedHub.#serve(options)
    } catch (error) {
      // another hub may do better
      await options.lease?.release().catch(() => {})
      throw error
    }
  }

  static async #serve(options: ServeHubOptions): Promise<ServedHub> {
    const { data, name, listen, nbd: nbdAddress, tls, lease, compress } = options
    const takeOver = lease !== undefined || options.takeOver === true
    const folder = NodeFolder.open(data)
    lease?.check()
    const term = await claimTerm(data, { who: name, takeOver, number: lease?.epoch })
    const ends: (() => Promise<void>)[] = [() => term.release()]
    let nbd: NbdListener | undefined
    // a unix socket is this user's anyway
    const nbdTls = nbdAddress === undefined || 'path' in nbdAddress ? undefined : tls
    const guests = new GuestWatch(exportName => nbd?.clients(exportName) ?? 0)
    try {
      checkName('hub', name)
      const hub = await Hub.open({
        ...options,
        name: await ownerOf(folder, name, term),
        // a take-over that was cut off has left some of them to the hub before, which may still write
        takeOver: term.wasFree ? takeOver && 'others' : true,
        lease: lease && termLease(lease),
        folder,
        nbd: nbdAddress,
        nbdCertified: nbdTls && name,
        openJournal: (own, given) => GroupJournal.open(own, { ...given, compress }),
        host: {
          now: nodeClock.now,
          pause: milliseconds => delay(milliseconds),
          uuid: randomUUID,
          exportClients: names => guests.clients(names),
          haveGone: (names, signal) => guests.haveGone(names, signal),
          dropExports: async names => {
            await Promise.all(names.map(one => nbd?.drop(one)))
          },
        },
      })
      ends.unshift(() => hub.close())
      if (nbdAddress !== undefined) {
        nbd = await listenNbd(nbdAddress, (one, asker) => hub.findExport(one, asker), {
          names: asker => hub.exportNames(asker),
          tls: nbdTls,
          maxConnections: clientsAtMost,
          onLeft: (exportName, how) => guests.left(exportName, how),
        })
        ends.unshift(nbd.close)
      }
      const listener = listen && (await listenForAgents(hub, { ...options, listen }))
      return new ServedHub(hub, term, { listener, nbd }, options)
    } catch (error) {
      for (const end of ends) await end().catch(() => {})
      throw error
    }
  }

  /** Where agents reach it; with the port that the system chose, where it was 0. */
  get address(): SocketAddress | undefined {
    return this.#listener?.address
  }

  /** Where NBD clients do. */
  get nbd(): SocketAddress | undefined {
    return this.#nbd?.address
  }

  /** Ends all of it; what was acknowledged is durable. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #look(): void {
    if (this.#closed !== undefined) return
    if (!this.#isOwner()) {
      const message = `${this.#whyOver()}: this hub ends`
      this.#options.onTakenOver?.(new ReplicationError('owned', message))
      this.close().catch(error => this.#options.onProblem?.(fileError('the hub cannot end as it should', error)))
      return
    }
    // a group that is long about it does not keep the others waiting
    this.#looking = this.hub.look()
  }

  #isOwner(): boolean {
    if (this.#options.lease?.isHeld() === false) return false
    try {
      return this.#term.stillOwns()
    } catch {
      // nothing is known: the next look says more
      return true
    }
  }

  #whyOver(): string {
    const { lease } = this.#options
    if (lease?.isHeld() === false) return lostText(lease)
    return `the hub's data belong to ${this.#term.owner()} now`
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#listener?.close()
    await this.#looking
    await this.#nbd?.close()
    await this.hub.close()
    await this.#term.release()
    // last: from here on another hub may begin
    await this.#options.lease?.release().catch(() => {})
  }
}

const lostText = ({ name, epoch, problem }: LeaseKeeper): string =>
  `the lease ${name} of epoch ${epoch} is lost${problem === undefined ? '' : ` (${printable(problem.message)})`}`

const termLease = (lease: LeaseKeeper): TermLease => ({
  epoch: lease.epoch,
  check() {
    if (!lease.isHeld()) throw new ReplicationError('owned', `${lostText(lease)}: another hub may have the data`)
  },
})

const listenForAgents = (
  hub: Hub,
  { name, listen: address, tls, silence }: ServeHubOptions & { listen: SocketAddress },
): Promise<HubListener> =>
  HubListener.listen({ name, address, tls, silence }, { connected: (session, agent) => hub.connected(session, agent) })

/** What the groups of one hub know it by. */
const ownerFile = 'owner'

/** A hub that takes over from one that may live has another name to the groups: it writes to files of its own. */
async function ownerOf(folder: NodeFolder, name: string, term: Term): Promise<string> {
  const known = readText(folder, ownerFile)?.trim()
  if (term.wasFree && known !== undefined && isName(known)) return known
  const owner = `${name.slice(0, 48)}.${term.number}`
  await writeText(folder, ownerFile, `${owner}\n`)
  return owner
}
