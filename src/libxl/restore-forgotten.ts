import { emptyCdrom } from './choose-backend.js'
import type { DeviceDisk, DiskFormat } from './device-disk.js'
import { scriptName } from './script-path.js'

/** A record as libxl reads it back, completed with what libxl wrote and does not read. */
export function restoreForgotten(
  disk: DeviceDisk,
  read: (key: string) => string | undefined,
  guestTrusted: string | undefined,
): DeviceDisk {
  const discard = read('discard-enable')
  return {
    ...disk,
    ...restoreImage(disk, read('params')),
    script: restoreScript(disk, read('script')),
    discardEnable: discard === undefined ? undefined : discard === '1',
    directIoSafe: read('direct-io-safe') === '1',
    trusted: guestTrusted === '0' ? false : undefined,
    coloHost: unlessNull(disk.coloHost),
    coloExport: unlessNull(disk.coloExport),
    activeDisk: unlessNull(disk.activeDisk),
    hiddenDisk: unlessNull(disk.hiddenDisk),
  }
}

const imageFormats: ReadonlyMap<string, DiskFormat> = new Map([
  ['aio', 'raw'],
  ['qcow', 'qcow'],
  ['qcow2', 'qcow2'],
  ['vhd', 'vhd'],
  ['qed', 'qed'],
])

function restoreImage(
  { backend, isCdrom }: DeviceDisk,
  params: string | undefined,
): Partial<Pick<DeviceDisk, 'pdevPath' | 'format'>> {
  if (backend === 'standalone') return { pdevPath: params, format: 'raw' }
  if (backend === 'phy') {
    const empty = isCdrom && (params === undefined || params === '' || params.startsWith(emptyCdrom))
    return { pdevPath: params, format: empty ? 'empty' : 'raw' }
  }
  const colon = params?.indexOf(':') ?? -1
  if (params === undefined || colon < 0) return {}
  const empty = backend === 'qdisk' && isCdrom && params === 'aio:'
  return { format: empty ? 'empty' : (imageFormats.get(params.slice(0, colon)) ?? 'unknown') }
}

/** The scripts that libxl itself puts in stand for none. */
function restoreScript({ backend }: DeviceDisk, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const name = scriptName(path)
  return name === (backend === 'tap' ? 'block-tap' : 'block') ? undefined : name
}

const unlessNull = (text: string | undefined): string | undefined => (text === '(null)' ? undefined : text)
