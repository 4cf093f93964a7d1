const scales = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** A number of bytes, as people write it: `1.5 GiB`. */
export function bytesText(bytes: number): string {
  let scale = 0
  let value = bytes
  for (; value >= 1024 && scale < scales.length - 1; scale++) value /= 1024
  return `${scale === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${scales[scale]}`
}
