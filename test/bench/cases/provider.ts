// A provider's own process: answers every request at once with its name.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const name = process.argv[2] ?? "provider";
const server = createServer((_, response) => response.end(name));
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit());
