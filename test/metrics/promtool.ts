import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { MissingRealPart } from '../support/real-part.js'

const path = '/usr/bin/promtool'

/** The tool's path. @throws MissingRealPart */
export function promtool(): string {
  if (!existsSync(path)) throw new MissingRealPart('promtool', 'prometheus')
  return path
}

/** What `promtool check metrics` says of a text: nothing, where all is right. */
export async function checkedByPromtool(tool: string, metrics: string): Promise<string> {
  const child = spawn(tool, ['check', 'metrics'])
  child.stdin.end(metrics)
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const [said, complaint, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return status === 0 ? said + complaint : `${said}${complaint}status ${status}`
}
