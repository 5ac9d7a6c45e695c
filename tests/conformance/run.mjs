// node run.mjs --list            the names of all behaviours, one JSON line each
// node run.mjs http://host:port  what each of them did there, one JSON line each
import { readdirSync } from 'node:fs'
import { Server } from './kit.mjs'

const TIMEOUT = 30_000
const folder = new URL('./behaviours/', import.meta.url)
const all = []
for (const file of readdirSync(folder).filter(name => name.endsWith('.mjs')).sort()) {
  const { list } = await import(new URL(file, folder))
  all.push(...list.map(behaviour => ({ ...behaviour, name: `${file.replace('.mjs', '')}: ${behaviour.name}` })))
}

const attempt = async (behaviour, server) => {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${TIMEOUT} ms`)), TIMEOUT)
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
  for (const behaviour of all) {
    console.log(JSON.stringify({ name: behaviour.name, ...await attempt(behaviour, server) }))
  }
  process.exit(0)
}
