// pouchdb-server on a free port, in memory or (`node peer.mjs leveldb`) on leveldb in a directory of its own, as
// pouchdb-server itself puts it together, without its admin pages. Prints {"url"} when it listens, or {"missing"}
// with the reason where leveldb cannot be had, and ends with its standard input, so that nothing outlives the tests.
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const directory = mkdtempSync(join(process.env.CAMKET_BENCH_DIR || tmpdir(), 'peer-'))
process.chdir(directory)
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const onDisk = process.argv[2] === 'leveldb'
const express = require('express')
const PouchDB = require('pouchdb').defaults(onDisk ? { adapter: 'leveldb', prefix: './' } : { adapter: 'memory' })
if (!onDisk) PouchDB.plugin(require('pouchdb-adapter-memory'))

/** Rejects where leveldb's native code is not there: npm brings it built for common systems only. */
const trial = async () => {
  const database = new PouchDB('trial')
  await database.put({ _id: 'x' })
  await database.destroy()
}

const serve = () => {
  const app = express()
  app.use('/', require('express-pouchdb')(PouchDB, { inMemoryConfig: true, logPath: '/dev/null', mode: 'fullCouchDB' }))
  const server = app.listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
  })
}

// Some requests make it throw outside of any handler; it is to go on, and the request to fail.
process.on('uncaughtException', () => {})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
trial().then(serve, (error) => {
  console.log(JSON.stringify({ missing: String(error?.message ?? error) }))
})
