// Chat from the terminal: prints the room with its translations and sends every line that is typed.
// In a project of its own, import from "@damso/client".
import { createInterface } from "node:readline";
import { connect } from "../../clients/typescript/dist/index.js";

const [url, token, roomId = "consult:aiko:seoul-clinic"] = process.argv.slice(2);
if (url === undefined || token === undefined) {
  console.error("usage: node chat.js <url> <token> [<room>]");
  process.exit(2);
}

const client = connect({ url, token: () => token });
client.setVisible(true);
const room = client.room(roomId);
const printed = new Set();

function printOnce(key, line) {
  if (printed.has(key)) return;
  printed.add(key);
  console.log(line);
}

/** Prints each message once, and each of its translations when it has arrived. */
function print() {
  for (const { seq, kind, sender, message, translations } of room.messages) {
    if (kind !== "text") continue;
    printOnce(seq, `${sender.name ?? sender.participant}: ${message}`);
    for (const { language, version, text } of Object.values(translations)) {
      if (text !== undefined) printOnce(`${seq} ${language} ${version}`, `  #${seq} in ${language}: ${text}`);
    }
  }
}

client.on("room", print);
client.on("state", (state) => {
  if (state === "offline") console.error("offline; reconnecting (is the token still valid?)");
  if (state === "signed_out" || state === "evicted") process.exit(1);
});
await room.open();
print();
room.markRead(room.messages.at(-1)?.seq ?? 0);

const acknowledgements = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== "") acknowledgements.push(client.send(roomId, line).sent);
}
// End of input (Ctrl+D): wait until the server has stored every message.
await Promise.all(acknowledgements);
client.close();
