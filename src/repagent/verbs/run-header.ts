import type { Io } from '../../command-line/io.js'
import { jsonLine, printableJson } from '../../command-line/json-line.js'
import { makeRawHeader } from '../../replication/node/raw-header.js'
import type { HeaderCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Makes a header in which a raw disk's bitmaps are kept, and says how QEMU opens it. */
export async function runHeader({ image, header, node, json }: HeaderCommand, io: Io): Promise<number> {
  const made = await makeRawHeader({ image, header, node })
  // an argument a line: JSON has no other ones
  io.write(1, json ? jsonLine(made) : made.arguments.map(argument => `${printableJson(argument)}\n`).join(''))
  return exitStatus('done')
}
