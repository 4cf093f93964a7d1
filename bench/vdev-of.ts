/** xvda, xvdb, …: the names of the first disks. */
export function vdevOf(index: number): string {
  const letter = (value: number): string => String.fromCharCode(97 + value)
  let name = ''
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) name = letter((rest - 1) % 26) + name
  return `xvd${name}`
}
