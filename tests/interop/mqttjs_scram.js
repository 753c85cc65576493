// SPDX-License-Identifier: Apache-2.0
// mqtt.js logs in by SCRAM-SHA-256 (RFC 5802, RFC 7677) with its hook for AUTH, publishes, and ends.
//
//   node mqttjs_scram.js PORT USER PASSWORD TOPIC MESSAGE
'use strict'
const crypto = require('crypto')
const mqtt = require('mqtt')

const [port, user, password, topic, message] = process.argv.slice(2)
const METHOD = 'SCRAM-SHA-256'

const hash = octets => crypto.createHash('sha256').update(octets).digest()
const hmac = (key, octets) => crypto.createHmac('sha256', key).update(octets).digest()
const nonce = crypto.randomBytes(15).toString('base64')
const bare = `n=${user},r=${nonce}`
let expected

function answer (serverFirst) {
  const fields = Object.fromEntries(serverFirst.split(',').map(one => [one[0], one.slice(2)]))
  const salted = crypto.pbkdf2Sync(
    password, Buffer.from(fields.s, 'base64'), Number(fields.i), 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${fields.r}`
  const exchanged = `${bare},${serverFirst},${withoutProof}`
  const signature = hmac(hash(clientKey), exchanged)
  const proof = clientKey.map((octet, at) => octet ^ signature[at]).toString('base64')
  expected = 'v=' + hmac(hmac(salted, 'Server Key'), exchanged).toString('base64')
  return `${withoutProof},p=${proof}`
}

const client = mqtt.connect({
  host: '127.0.0.1',
  port: Number(port),
  protocolVersion: 5,
  reconnectPeriod: 0,
  properties: { authenticationMethod: METHOD, authenticationData: Buffer.from('n,,' + bare) }
})
client.handleAuth = (packet, callback) => callback(null, {
  cmd: 'auth',
  reasonCode: 0x18,
  properties: {
    authenticationMethod: METHOD,
    authenticationData: Buffer.from(answer(packet.properties.authenticationData.toString()))
  }
})
client.on('packetreceive', packet => {
  if (packet.cmd !== 'connack' || packet.reasonCode !== 0) return
  const proof = packet.properties.authenticationData.toString()
  console.log(proof === expected ? 'the server knows the password' : 'the server knows nothing')
})
client.on('connect', () => client.publish(topic, message, { qos: 1, retain: true }, error => {
  console.log(error ? error.message : 'published')
  client.end()
}))
client.on('error', error => {
  console.log(error.message)
  process.exitCode = 1
})
