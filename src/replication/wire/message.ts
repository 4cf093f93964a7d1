/** A disk as both sides know it. */
export interface VolumeInfo {
  /** By which data names it, within its group: 0 to 255. */
  number: number
  name: string
  /** In bytes. */
  size: number
}

/** Where a stream's message stands in it, and when its write happened. */
export interface StreamPlace {
  channel: number
  /** 1, 2, 3, … */
  sequence: number
  /** Of the agent's clock, in microseconds since 1970. */
  time: number
}

/** Data in the guest's order (`write`, `zero`), or what only brings the hub's replica up to date (`fill`, `fillZero`). */
export type DataMessage =
  | ({ kind: 'write' | 'fill'; volume: number; offset: number; data: Uint8Array } & StreamPlace)
  | ({ kind: 'zero' | 'fillZero'; volume: number; offset: number; length: number } & StreamPlace)

/** What is said in a stream besides data. */
export type MarkMessage =
  /** From here on the replica is no moment of the guest's disks, until `settled`. */
  | ({ kind: 'unsettled'; reason: string } & StreamPlace)
  | ({ kind: 'settled' } & StreamPlace)
  /** A checkpoint by name. */
  | ({ kind: 'point'; name: string } & StreamPlace)

/** All that has a place in a stream, and is written to the hub's journal. */
export type StreamMessage = DataMessage | MarkMessage

/** What an agent asks to send a group's stream. */
export interface Attach {
  kind: 'attach'
  /** By which both sides name the group on this connection, from now on: 1, 2, 3, …; each is used once. */
  channel: number
  group: string
  /** Of the take-over that the agent knows of; 0 where it knows of none. */
  epoch: number
  /** Which stream it is: a UUID. */
  stream: string
  /** The sequences that the agent can still send begin here. */
  oldest: number
  /** What the agent's bitmaps rest on: they tell all that differs from a replica which holds so much of that stream. */
  previous?: { replica: string; stream: string; sequence: number } | undefined
  volumes: readonly VolumeInfo[]
}

export interface Attached {
  kind: 'attached'
  channel: number
  epoch: number
  /** Which replica it is: a UUID, made with the group. */
  replica: string
  /** The last sequence of this stream that is durable; undefined of a stream that the hub does not know. */
  received?: number | undefined
  /** Whether the replica holds what `previous` says. */
  holds: boolean
  /** The flow control: while so many bytes of the stream are not `durable`, the agent sends no more of it. */
  window: number
}

/** A part of a volume, in bytes. */
export interface Part {
  volume: number
  offset: number
  length: number
}

/** What is asked under a number, and answered under it; by either side. */
export type RequestMessage =
  /** Whoever has the replica answers with a SHA-256 for each granule of the part. Only of a part that nothing is sent to meanwhile. */
  | ({ kind: 'digestsRequest'; channel: number; request: number } & Part)
  /** Remote IO: the one who has the volume answers. */
  | ({ kind: 'readRequest'; channel: number; request: number } & Part)
  | { kind: 'writeRequest'; channel: number; request: number; volume: number; offset: number; data: Uint8Array }
  /** A command of the hub to the agent or of the agent to the hub, of those that the other side allows. */
  | { kind: 'command'; channel: number; request: number; execute: string; arguments: unknown }

export type ReplyMessage =
  | { kind: 'bytes'; channel: number; request: number; data: Uint8Array }
  | { kind: 'done'; channel: number; request: number; result: unknown }
  | { kind: 'failed'; channel: number; request: number; code: string; message: string }

/** A volume of the agent's host, as the agent reports it. */
export interface VolumeReport {
  group: string
  volume: string
  /** Undefined where it is not known yet. */
  size?: number | undefined
  state: string
  [more: string]: unknown
}

/** All that goes over a connection between an agent and a hub. */
export type Message =
  /** The agent's first. Over TLS its name is that of its certificate. */
  | { kind: 'hello'; version: number; agent: string }
  /** The hub's first, to an agent that is let in. Over TLS its name is that of its certificate. */
  | { kind: 'welcome'; version: number; hub: string }
  /** The last of one who ends the connection, and why. */
  | { kind: 'goodbye'; code: string; message: string }
  | Attach
  | Attached
  /** The stream is refused; nothing of it is taken. */
  | { kind: 'refused'; channel: number; code: string; message: string }
  | { kind: 'detach'; channel: number }
  | StreamMessage
  /** All up to this sequence is durable at the hub. */
  | { kind: 'durable'; channel: number; sequence: number }
  /** The hub takes no more of this stream. What it has acknowledged stays. */
  | { kind: 'stopped'; channel: number; code: string; message: string }
  /** What it was stopped or refused for is over: attach again. */
  | { kind: 'ready'; group: string }
  /** What the agent's host has; sent anew when something changes. */
  | { kind: 'report'; volumes: readonly VolumeReport[] }
  | RequestMessage
  | ReplyMessage
  /** Both say how many bytes of this connection the sender has received. A `ping` is answered with a `pong`. */
  | { kind: 'ping' | 'pong'; received: number }

/** The version of the protocol. */
export const protocolVersion = 1
/** How many groups one connection has at a time. */
export const channelsAtMost = 1024
/** How many volumes a group has: each has a number of its own. */
export const volumesAtMost = 256
/** Data of one message, in bytes. */
export const dataAtMost = 1024 * 1024
/** What a bit of a bitmap stands for, and a digest, in bytes. */
export const granuleSize = 64 * 1024
/** How many granules one request for digests is for. */
export const digestsAtMost = 1024
