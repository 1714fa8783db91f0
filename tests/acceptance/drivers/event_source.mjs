// Prints every message of an event source as one JSON line, until it is killed.
// Run by node with --experimental-eventsource: the EventSource is node's own.
const [url, kind] = process.argv.slice(2);
const source = new EventSource(url);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
source.onopen = () => say({ open: true });
source.onerror = () => say({ error: source.readyState === EventSource.CLOSED ? "closed" : "retrying" });
source.addEventListener(kind, ({ data, lastEventId }) => say({ data, lastEventId }));
// While node's EventSource waits to reconnect, nothing else would keep the process alive.
setInterval(() => {}, 1 << 30);
