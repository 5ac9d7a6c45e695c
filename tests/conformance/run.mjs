// node run.mjs --list            the names of all behaviours, one JSON line each
// node run.mjs http://host:port  what each of them did there, one JSON line each
// node run.mjs http://host:port peer  the same of the peer, which is not waited for so long where it is known to do
// otherwise: that is, of some, never to answer
import { readdirSync } from 'node:fs'
import { Server } from './kit.mjs'

const TIMEOUT = 30_000
const TIMEOUT_OTHERWISE = 10_000
const folder = new URL('./behaviours/', import.meta.url)
const all = []
for (const file of readdirSync(folder).filter(name => name.endsWith('.mjs')).sort()) {
  const { list } = await import(new URL(file, folder))
  all.push(...list.map(behaviour => ({ ...behaviour, name: `${file.replace('.mjs', '')}: ${behaviour.name}` })))
}

const attempt = async (behaviour, server, timeout = TIMEOUT) => {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${timeout} ms`)), timeout)
  })
  try {
    await Promise.race([behaviour.run(server), late])
    return { ok: true }
  } catch (error) {
    return { ok: false, error: String(error?.stack ?? error) }
  } finally {
    clearTimeout(timer)
  }
}

if (process.argv[2] === '--list') {
  for (const { name, peer } of all) console.log(JSON.stringify({ name, peer }))
} else {
  const server = new Server(process.argv[2])
  const tell = async (behaviour, timeout) => {
    console.log(JSON.stringify({ name: behaviour.name, ...await attempt(behaviour, server, timeout) }))
  }
  // Those that never end at the peer are waited for side by side. Each behaviour has databases of its own.
  const otherwise = process.argv[3] === 'peer' ? all.filter(behaviour => behaviour.peer) : []
  const apart = Promise.all(otherwise.map(behaviour => tell(behaviour, TIMEOUT_OTHERWISE)))
  for (const behaviour of all) if (!otherwise.includes(behaviour)) await tell(behaviour)
  await apart
  process.exit(0)
}
