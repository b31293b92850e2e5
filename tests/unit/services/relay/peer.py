"""A scripted SMTP server on the loopback for the relay's tests: it answers by rule and remembers what it was sent."""

import asyncio

EHLO = ["250-peer.test hello", "250-PIPELINING", "250-8BITMIME", "250-SIZE 1000000", "250 ENHANCEDSTATUSCODES"]


class Peer:
    """``rules`` maps a command prefix (upper case) to a reply, a list of replies used up in turn, or a word.

    ``drop`` closes the connection, ``silence`` says nothing more. ``END`` is the rule for the end of data. Where MAIL or
    every RCPT was refused, what follows in the group is refused too.
    """

    def __init__(self, *, greeting="220 peer.test ESMTP", ehlo=None, context=None, **rules):
        self.greeting = greeting
        self.ehlo = ehlo or EHLO
        self.context = context
        self.rules = {key.replace("_", " ").upper(): reply for key, reply in rules.items()}
        self.commands = []
        self.messages = []
        self.connections = 0
        self.writers = []
        self.tls = 0
        self.port = 0

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await self.server.wait_closed()
        await asyncio.sleep(0)

    def drop_all(self):
        for writer in self.writers:
            writer.close()

    def rule(self, command):
        for prefix in sorted(self.rules, key=len, reverse=True):
            if command.startswith(prefix):
                reply = self.rules[prefix]
                if isinstance(reply, list):
                    return reply.pop(0) if len(reply) > 1 else reply[0]
                return reply
        return None

    async def serve(self, reader, writer):
        self.connections += 1
        self.writers.append(writer)
        try:
            await self.talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def talk(self, reader, writer):
        if not await self.say(writer, self.greeting) or not self.greeting.startswith("220"):
            return
        has_mail = has_rcpt = False
        while line := await reader.readline():
            command = line.decode().strip().upper()
            self.commands.append(command)
            verb = command.split(" ")[0]
            if verb == "STARTTLS" and self.rule("STARTTLS") is None:
                await self.say(writer, "220 go")
                await writer.start_tls(self.context)
                self.tls += 1
                continue
            reply = self.rule(command) or {"EHLO": "\r\n".join(self.ehlo), "DATA": "354 go", "QUIT": "221 bye"}.get(
                verb, "250 2.0.0 Ok"
            )
            if (verb == "RCPT" and not has_mail) or (verb == "DATA" and not has_rcpt):
                reply = "503 5.5.1 out of order"
            if reply == "silence":
                await reader.read()
                return
            if not await self.say(writer, reply) or verb == "QUIT":
                return
            has_mail = has_mail or (verb == "MAIL" and reply.startswith("2"))
            has_rcpt = has_rcpt or (verb == "RCPT" and reply.startswith("2"))
            if verb == "DATA" and reply.startswith("354"):
                has_mail = has_rcpt = False
                if not await self.take_content(reader, writer):
                    return

    async def take_content(self, reader, writer):
        content = bytearray()
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                return False
            content += line[1:] if line.startswith(b"..") else line
        reply = self.rule("END") or "250 2.0.0 Queued"
        if reply != "lost":
            self.messages.append(bytes(content))
        if reply == "silence":
            await reader.read()
            return False
        return await self.say(writer, "drop" if reply in {"lost", "taken"} else reply)

    async def say(self, writer, reply):
        if reply == "drop":
            return False
        writer.write(reply.encode() + b"\r\n")
        await writer.drain()
        return True
