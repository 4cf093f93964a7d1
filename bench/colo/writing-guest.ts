import type { Buffer } from 'node:buffer'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { pairOptions, type QemuPair, type QemuSide, qemuPair } from '../../test/colo/colo-pair.js'
import { forms } from '../../test/dm-args/real-qemu/forms.js'
import { booted, failed, guestSector, silentGuest } from '../../test/guest/numbered-guest.js'
import { type Qemu, startQemu } from '../../test/real/qemu.js'
import { diskImages } from '../../test/support/disk-images.js'

/** A QEMU whose one disk, a raw image on IDE, has the program that writes numbered sectors. */
export interface WritingGuest {
  qemu: Qemu
  /** The disk's image. */
  image: string
}

// the debug console is what QEMU prints
const debugConsole = ['-debugcon', 'stdio']

/** A guest whose disk is not COLO's. */
export async function plainGuest(): Promise<WritingGuest & AsyncDisposable> {
  const images = diskImages()
  const image = images.image('disk.img', 'raw')
  const environment = { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined } as const
  const disks = [resolveDisk(parseDisk(`format=raw,vdev=hda,target=${image}`), environment)]
  const { args } = forms.blockdev.build({ disks, options: { domainType: 'hvm' } })
  const { qemu, refusal } = await startQemu([...debugConsole, ...args])
  if (qemu === undefined) throw new Error(refusal)
  putProgram(image)
  const stop = async () => {
    await qemu.stop()
    images[Symbol.dispose]()
  }
  return { qemu, image, [Symbol.asyncDispose]: stop }
}

/** The two sides of a pair that is not protected yet; neither guest runs. */
export interface WritingPair extends AsyncDisposable {
  primary: WritingGuest
  secondary: WritingGuest
  /** What protects them: the disks are equal. */
  options: ReturnType<typeof pairOptions>
}

export async function writingPair(): Promise<WritingPair> {
  const teardowns: (() => unknown)[] = []
  // all that a pair needs of a test
  const owner = { teardown: (work: () => unknown) => teardowns.unshift(work) } as unknown as Test
  const close = async () => {
    for (const work of teardowns) await work()
  }
  try {
    const args = { args: debugConsole }
    const qemus: QemuPair = await qemuPair(owner, forms.blockdev, ['hda'], 'raw', { primary: args, secondary: args })
    const [primary, secondary] = [qemus.primary, qemus.secondary].map(guestOf) as [WritingGuest, WritingGuest]
    const options = { ...pairOptions(qemus, qemus.primary, qemus.secondary, 1), equal: true }
    return { primary, secondary, options, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function guestOf({ qemu, disks }: QemuSide): WritingGuest {
  const [disk] = disks as [ResolvedDisk]
  const image = disk.pdevPath!
  putProgram(image)
  return { qemu, image }
}

/** Before the guest's first instruction QEMU has read nothing that counts. */
function putProgram(image: string): void {
  const file = openSync(image, 'r+')
  writeSync(file, guestSector(silentGuest), 0, 512, 0)
  closeSync(file)
}

/** What a raw image holds: QEMU keeps nothing of it in its own memory. */
export const contentsOf = ({ image }: WritingGuest): Buffer => readFileSync(image)

/** Waits until the program says for the nth time that it runs. @throws Error */
export async function untilBooted({ qemu }: Pick<WritingGuest, 'qemu'>, times = 1): Promise<void> {
  for (const end = performance.now() + bootTimeout; performance.now() < end; await delay(1)) {
    const said = qemu.printed()
    if (said.includes(failed)) throw new Error('the guest cannot write to its disk')
    if (said.split(booted).length > times) return
  }
  throw new Error(`the guest did not boot: ${qemu.printed()}`)
}

const bootTimeout = 30_000
