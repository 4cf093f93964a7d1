import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { MissingRealPart } from './real-part.js'

/** QEMU's names of image formats. */
export type ImageFormat = 'raw' | 'qcow' | 'qcow2' | 'vpc' | 'qed'

/** Empty images, of 1 MiB by default, that QEMU opens, in a temporary folder; disposing of them removes all. */
export interface DiskImages extends Disposable {
  readonly directory: string
  /** Makes an image whose path ends so. Two of one name are two images. */
  image(name: string, format: ImageFormat): string
  /** A block device of the same size. Undefined where this process may make none, as without root's rights. */
  blockDevice(): string | undefined
  /** Removes the images made so far. The block devices may be given out again, with what was written to them. */
  clear(): void
}

/** @throws MissingRealPart without qemu-img */
export function diskImages(size = mebibyte): DiskImages {
  const directory = mkdtempSync(join(tmpdir(), 'disk-images-'))
  const devices: LoopDevice[] = []
  let devicesInUse = 0
  let count = 0

  const image = (name: string, format: ImageFormat): string => {
    const path = join(directory, String(count++), name)
    mkdirSync(dirname(path), { recursive: true })
    if (format === 'raw') {
      writeFileSync(path, '')
      truncateSync(path, size)
    } else {
      copyFileSync(template(directory, format, size), path, constants.COPYFILE_EXCL)
    }
    return path
  }
  const clear = () => {
    devicesInUse = 0
    while (count > 0) rmSync(join(directory, String(--count)), { recursive: true })
  }
  return {
    directory,
    image,
    blockDevice() {
      if (devicesInUse === devices.length) {
        const file = join(directory, `device-${devices.length}`)
        writeFileSync(file, '')
        truncateSync(file, size)
        const device = attachLoop(file)
        if (device === undefined) return undefined
        devices.push(device)
      }
      return devices[devicesInUse++]!.path
    },
    clear,
    [Symbol.dispose]() {
      for (const { descriptor } of devices) closeSync(descriptor)
      rmSync(directory, { recursive: true })
    },
  }
}

const mebibyte = 1_048_576

/** Made once: a copy is quicker than qemu-img. */
function template(directory: string, format: Exclude<ImageFormat, 'raw'>, size: number): string {
  const path = join(directory, `template.${format}`)
  if (existsSync(path)) return path
  const exactSize = format === 'vpc' ? ['-o', 'force_size=on'] : []
  const { error, status, stderr } = spawnSync(
    'qemu-img',
    ['create', '-q', '-f', format, ...exactSize, path, `${size}`],
    {
      encoding: 'utf8',
    },
  )
  if (error) throw new MissingRealPart('qemu-img', 'qemu-utils')
  if (status !== 0) throw new Error(`qemu-img failed: ${stderr}`)
  return path
}

interface LoopDevice {
  path: string
  descriptor: number
}

/** The kernel detaches it from the file when the last has closed it: this process, and a QEMU that has it open. */
function attachLoop(file: string): LoopDevice | undefined {
  const { error, status, stdout } = spawnSync('losetup', ['--find', '--show', file], { encoding: 'utf8' })
  if (error || status !== 0) return undefined
  const path = stdout.trim()
  const descriptor = openSync(path, 'r')
  execFileSync('losetup', ['--detach', path])
  return { path, descriptor }
}
