import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect } from 'node:net'
import type { SocketAddress } from 'xenlight/nbd'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

export interface Question {
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string
  isTls?: boolean
}

/** Asks a page. @returns when the head of the answer is there; its body is to be read */
export const open = (address: SocketAddress, path: string, question: Question = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body = '', isTls = false } = question
    const where = 'path' in address ? { socketPath: address.path } : address
    const options = { ...where, method, path, headers, agent: false, rejectUnauthorized: false }
    const asked = (isTls ? requestTls : request)(options, resolve)
    asked.on('error', reject)
    asked.end(body)
  })

/** Asks a page, to the answer's end. */
export async function ask(address: SocketAddress, path: string, question?: Question): Promise<Answer> {
  const response = await open(address, path, question)
  let body = ''
  response.setEncoding('utf8')
  for await (const text of response) body += text
  return { status: response.statusCode!, headers: response.headers, body }
}

/** Logs in. @returns the cookie, as it is sent back */
export async function logIn(address: SocketAddress, token: string, isTls = false): Promise<string> {
  const body = new URLSearchParams({ token }).toString()
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const answer = await ask(address, '/login', { method: 'POST', headers, body, isTls })
  const [cookie] = answer.headers['set-cookie'] ?? []
  if (cookie === undefined) throw new Error(`${answer.status} ${answer.body}`)
  return cookie.split(';')[0]!
}

/** What the events of these tests have. */
export interface Told {
  guard: string
  control: boolean
  count: number
  number: number
}

/** The events of a stream, as they come. */
export async function* eventsOf(response: IncomingMessage): AsyncGenerator<{ event: string; data: Told }> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const text of response) {
    const events = (rest + text).split('\n\n')
    rest = events.pop()!
    for (const one of events) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(one) ?? []
      if (event !== undefined) yield { event, data: JSON.parse(data!) }
    }
  }
}

/** What a raw connection gets until the other end closes it. */
export const raw = (address: SocketAddress, ...pieces: string[]): Promise<string> =>
  new Promise(resolve => {
    const socket = connect(address as { port: number; host: string })
    let got = ''
    socket.setEncoding('utf8').on('data', text => {
      got += text
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(got))
    for (const piece of pieces) socket.write(piece)
  })
