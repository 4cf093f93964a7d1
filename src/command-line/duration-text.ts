const scales = [
  [1, 's'],
  [60, 'min'],
  [3600, 'h'],
  [86_400, 'd'],
] as const

/** How long something takes, or takes us back, as people write it: `0.3 s`, `90 s`, `5 min`. @param seconds 0 or more */
export function durationText(seconds: number): string {
  const [length, unit] = scales.findLast(([length]) => seconds >= 2 * length) ?? scales[0]
  // nobody reads what is less than a tenth
  const value = Math.round((seconds / length) * 10) / 10
  const isWhole = Number.isInteger(value) || value >= 10
  return `${isWhole ? Math.round(value) : value.toFixed(1)} ${unit}`
}
