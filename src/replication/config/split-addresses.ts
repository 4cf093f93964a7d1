const isAddress = (text: string): boolean =>
  text.startsWith('/') || /^(?:\[[0-9a-fA-F:.%\w]+\]|[^:/[\]\s]+):[0-9]{1,5}$/.test(text)

/** How many hubs an agent may be told of. */
export const addressesAtMost = 16

/** `ADDR,ADDR…` in its parts. What has a comma and is no list of HOST:PORT and absolute paths is one: a socket's path may have commas. */
export function splitAddresses(text: string): string[] {
  const parts = text.split(',')
  return parts.every(isAddress) ? parts : [text]
}
