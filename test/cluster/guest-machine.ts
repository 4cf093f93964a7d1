import { Buffer } from 'node:buffer'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs } from 'xenlight/dm-args'
import { MissingRealPart } from '../support/real-part.js'
import { beginnings, countingSector, newestNumber } from './counting-guest.js'

const binary = '/usr/bin/qemu-system-x86_64'
/** Bytes of the disk. */
const size = 1024 * 1024

/** A guest's machine on one node: its disk, and the program that starts its QEMU. */
export interface GuestMachine {
  /** The program, for ocf:xenlight:colo. */
  readonly program: string
  /** The newest number on the disk, whatever QEMU does. @throws Error where an earlier one is missing */
  newest(): number
  /** The numbers that the guest went on behind, each time that it was booted here. */
  begun(): readonly number[]
}

/**
 * Makes a machine with a counting guest on one disk, in a folder that has one already or not.
 *
 * @param seen where QEMU sees the folder
 */
export function guestMachine(folder: string, seen = folder): GuestMachine {
  if (!existsSync(binary)) throw new MissingRealPart(binary, 'qemu-system-x86')
  const image = join(folder, 'guest.img')
  mkdirSync(join(folder, 'consoles'), { recursive: true })
  const disk = Buffer.alloc(size)
  disk.set(countingSector())
  writeFileSync(image, disk)
  const overlays = `active-disk=${join(seen, 'none-1')},hidden-disk=${join(seen, 'none-2')}`
  const colo = `colo,colo-host=127.0.0.1,colo-port=9000,colo-export=disk0,${overlays}`
  const spec = `format=raw,vdev=hda,${colo},target=${join(seen, 'guest.img')}`
  const guest = { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined } as const
  const { args } = buildBlockdevArgs([resolveDisk(parseDisk(spec), guest)], { domainType: 'hvm' })
  const program = join(folder, 'guest-qemu')
  const console = `file,id=console,path=${join(seen, 'consoles')}/$(date +%s%N)`
  const words = ['-M', 'pc', '-m', '16', '-display', 'none', '-nodefaults', ...args].map(word => `'${word}'`)
  const text = `#!/bin/sh
exec ${binary} ${words.join(' ')} -chardev "${console}" -device isa-debugcon,iobase=0xe9,chardev=console "$@"
`
  writeFileSync(program, text, { mode: 0o755 })
  return {
    program: join(seen, 'guest-qemu'),
    newest: () => twice(() => newestNumber(readFileSync(image))),
    begun: () =>
      readdirSync(join(folder, 'consoles'))
        .sort()
        .flatMap(name => beginnings(readFileSync(join(folder, 'consoles', name)))),
  }
}

/** A sector that is just being written may be seen half. */
function twice(read: () => number): number {
  try {
    return read()
  } catch {
    return read()
  }
}
