/** An event of a stream of server-sent events; its data is JSON, which has no line feed. */
export const eventText = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** What a stream begins with: how long a browser waits before it connects again, in milliseconds. */
export const streamHead = (retry: number): string => `retry: ${retry}\n\n`
