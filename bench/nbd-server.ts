import { listenNbd, openFileBackend } from 'xenlight/nbd'

// a server in a process of its own: socket, file
const [path, file] = process.argv.slice(2) as [string, string]
await listenNbd({ path }, [{ name: '', backend: await openFileBackend(file) }])
