import { buildC } from './c-program.js'
import { startDriver } from './driver-process.js'
import { AnswerReader, encodeRequest } from './wire.js'

/** What xlu_disk_parse did: 0 or an errno, its text on the report stream, the record as libxl_device_disk_to_json. */
export interface DiskAnswer {
  rc: number
  report: Buffer
  json: Buffer | undefined
}

/** What xlu_cfg_readdata did, and each of the gets that followed where it succeeded. */
export interface ConfigAnswer {
  rc: number
  report: Buffer
  gets: GetAnswer[]
}

export interface GetAnswer {
  rc: number
  report: Buffer
  /** Absent unless rc is 0. A list holds undefined for what is not a string. */
  value?: Buffer | bigint | (Buffer | undefined)[] | undefined
}

export type GetKind = 'string' | 'long' | 'list'
export type ConfigRequest = { filename: string; text: Buffer; gets: readonly (readonly [GetKind, key: string])[] }

/** The real libxlutil, in a process of its own; 'crash' where a request ended that process. */
export interface Libxlutil extends Disposable {
  /** One disk for each list of spec strings. */
  disks(requests: readonly (readonly Buffer[])[]): Promise<(DiskAnswer | 'crash')[]>
  configs(requests: readonly ConfigRequest[]): Promise<(ConfigAnswer | 'crash')[]>
  /** Nanoseconds a spec, over `rounds` rounds through all of them. */
  timeDisks(specs: readonly Buffer[], rounds: number): Promise<number>
}

/** Builds the driver if need be; throws MissingRealPart without gcc or libxen-dev. */
const libxlutilDriver = (): string =>
  buildC('libxlutil-driver', { libraries: ['-lxlutil', '-lxenlight'], packages: 'gcc libc6-dev libxen-dev' })

export function startLibxlutil(program = libxlutilDriver()): Libxlutil {
  const driver = startDriver(program)
  const askAll = async <T>(requests: Buffer[], read: (answer: AnswerReader, index: number) => T) =>
    (await driver.ask(requests)).map((answer, index) =>
      answer === 'crash' ? answer : read(new AnswerReader(answer), index),
    )

  return {
    disks: requests =>
      askAll(
        requests.map(specs => encodeRequest('d', specs)),
        answer => ({ rc: answer.i32(), report: answer.string()!, json: answer.string() }),
      ),
    configs: requests =>
      askAll(
        requests.map(({ filename, text, gets }) =>
          encodeRequest('c', Buffer.from(filename), text, gets.map(encodeGet)),
        ),
        (answer, index) => {
          const rc = answer.i32()
          const report = answer.string()!
          const gets = rc === 0 ? requests[index]!.gets.map(([kind]) => readGet(kind, answer)) : []
          return { rc, report, gets }
        },
      ),
    async timeDisks(specs, rounds) {
      const [answer] = await driver.ask([encodeRequest('b', rounds, specs)])
      if (answer === undefined || answer === 'crash') throw new Error('libxlutil ended while it was timed')
      return Number(new AnswerReader(answer).i64()) / rounds / specs.length
    },
    [Symbol.dispose]: () => driver[Symbol.dispose](),
  }
}

const kindLetter = { string: 's', long: 'l', list: 'L' } as const

const encodeGet = ([kind, key]: readonly [GetKind, string]) => Buffer.from(kindLetter[kind] + key)

function readGet(kind: GetKind, answer: AnswerReader): GetAnswer {
  const rc = answer.i32()
  const report = answer.string()!
  if (rc !== 0) return { rc, report }
  const value = kind === 'string' ? answer.string() : kind === 'long' ? answer.i64() : answer.list()
  return { rc, report, value }
}
