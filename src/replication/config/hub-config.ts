import * as z from 'zod'
import { isLeaseName } from '../../lease/lease-name.js'
import { bytes, time } from './amounts.js'
import { readConfig } from './read-config.js'
import { address, metricsAddress, name, path, socket } from './words.js'

/** How much history a group keeps: whichever is reached first. */
const retention = z.strictObject({
  /** The journal's bytes. */
  size: bytes.default(10 * 1024 ** 3),
  /** How far back, in milliseconds. */
  history: time.default(24 * 3_600_000),
})

/** How many checkpoints of a group have a name: of more, the oldest names are forgotten, and not the moments. */
const checkpoints = z.int().min(1).max(10_000)

const group = z.strictObject({
  /** Who may send it, by the names in their certificates. */
  agents: z.array(name).min(1).optional(),
  /** Who may ask for tests, fail-overs and all else over an agent's connection, by the names in their certificates. */
  control: z.array(name).optional(),
  size: bytes.optional(),
  history: time.optional(),
  /** How many tests and fail-overs there may be at a time. */
  branches: z.int().min(1).max(64).optional(),
  checkpoints: checkpoints.optional(),
})

const page = z.strictObject({
  address: metricsAddress,
  /** The file of the secret to log in with. */
  token: path,
  /** A folder with cert.pem and key.pem. */
  tls: path.optional(),
  /** A name by which browsers may ask for it, too. */
  host: z.string().min(1).max(253).optional(),
  /** Whether it may start and discard tests. */
  control: z.boolean().default(false),
  /** How far a recovery may go back before the page marks it, in milliseconds. */
  target: time.default(5000),
})
/** The lease that several hubs over one folder serve under. */
const lease = z
  .strictObject({
    name: z.string().refine(isLeaseName, {
      error: "a name of up to 100 letters, digits, '.', '_' and '-', a letter or a digit first",
    }),
    /** The members of one cluster of etcd. */
    etcd: z
      .array(
        z
          .string()
          .regex(/^https?:\/\/[^\s/?#@]+\/?$/, { error: "a member's http://HOST:PORT or https://HOST:PORT" })
          .refine(text => URL.canParse(text), { error: "a member's http://HOST:PORT or https://HOST:PORT" }),
      )
      .min(1)
      .max(16),
    /** A folder with ca.pem, cert.pem and key.pem, for https. */
    tls: path.optional(),
    /** How long it lasts when its holder has died, in milliseconds. */
    ttl: time.default(10_000).refine(ttl => ttl >= 2000 && ttl <= 3_600_000, { error: 'a time from 2s to 60m' }),
  })
  .superRefine(({ etcd, tls }, context) => {
    for (const [index, url] of etcd.entries())
      if (url.startsWith('https:') !== (tls !== undefined))
        context.addIssue({
          code: 'custom',
          path: ['etcd', index],
          message: tls === undefined ? `${url} needs tls` : `tls is for https, not ${url}`,
        })
  })

const hubConfig = z.strictObject({
  /** The hub's name; the one in its certificate where it has one. The machine's by default. */
  name: name.optional(),
  data: path,
  listen: address.optional(),
  control: socket.optional(),
  /** Where Prometheus scrapes metrics: without it, there are none. */
  metrics: metricsAddress.optional(),
  /** A page for browsers: without it, there is none. */
  page: page.optional(),
  /** A folder with ca.pem, cert.pem and key.pem. */
  tls: path.optional(),
  /** Where recovery guests reach their disks over NBD. */
  nbd: address.optional(),
  journal: retention.prefault({}),
  compress: z.boolean().default(false),
  /** Serve only while this is held: several hubs may have one folder then. */
  lease: lease.optional(),
  /** Those that there may be; without it, any that an agent names. */
  groups: z.record(name, group).optional(),
  limits: z
    .strictObject({
      groups: z.int().min(1).max(100_000).default(1000),
      branches: z.int().min(1).max(64).default(4),
      checkpoints: checkpoints.default(2000),
      /** What the writes of a recovery guest may take, in bytes. */
      overlay: bytes.default(100 * 1024 ** 3),
    })
    .prefault({}),
})

/** What a hub is to do. Times are in milliseconds, sizes in bytes. */
export type HubConfig = z.output<typeof hubConfig>

/** @throws ConfigError */
export const readHubConfig = (text: string, file: string): HubConfig => readConfig(text, hubConfig, file)
