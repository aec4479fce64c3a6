"""The websocket side: HELLO, IDENTIFY, RESUME, heartbeats, and what each session may see of each event."""

import asyncio
import json

from aiohttp import WSMsgType, web

from playground.discord.events import Event, EventKind
from playground.discord.model import Channel, ChannelKind, Guild, Member, Message, Role
from playground.discord.objects import role_payload, user_payload
from playground.discord.payloads import Payload, as_id
from playground.discord.permissions import Permission
from playground.discord.serialize import Serializer
from playground.discord.sessions import CloseCode, Connection, Op, Session
from playground.discord.settings import PRIVILEGED, Intent
from playground.discord.world import World

_MESSAGES = {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE, EventKind.MESSAGE_DELETE}
_GONE = {EventKind.CHANNEL_DELETE, EventKind.THREAD_DELETE}
_THREADS = {EventKind.THREAD_CREATE, EventKind.THREAD_UPDATE}
_CHANNELS = {EventKind.CHANNEL_CREATE, EventKind.CHANNEL_UPDATE} | _THREADS | _GONE
_ROLES = {EventKind.GUILD_ROLE_CREATE, EventKind.GUILD_ROLE_UPDATE}


class Gateway:
    """All sessions, fed by the world's events."""

    def __init__(self, world: World, serializer: Serializer) -> None:
        self._world = world
        self._serializer = serializer
        # Where resumes go; known once the port is.
        self.url = ""
        self._connections: set[Connection] = set()
        self.sessions: dict[str, Session] = {}
        world.feed.listen(self._on_event)

    def intents(self) -> int:
        """Return what the latest session may see; REST answers hide content by it as well."""
        return next((session.intents for session in reversed(self.sessions.values())), 0)

    # Trouble that tests ask for

    def drop(self, code: int | None = None) -> None:
        """Cut all sockets, or close them with a code; clients reconnect and resume unless the code forbids it."""
        for connection in self._connections:
            if code is None:
                connection.abort()
            else:
                connection.close(code)

    def reconnect(self) -> None:
        """Ask all clients to reconnect and resume (op 7)."""
        self._tell_all(Op.RECONNECT, None)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Void all sessions (op 9); those that are not resumable must identify anew."""
        self._tell_all(Op.INVALID_SESSION, resumable)
        if not resumable:
            self.sessions.clear()

    def forget_sessions(self) -> None:
        """Refuse later resumes, as after a long outage, without telling anyone now."""
        self.sessions.clear()

    def _tell_all(self, op: Op, data: object) -> None:
        for connection in self._connections:
            connection.send(op, data)

    async def close(self) -> None:
        """Say goodbye to all clients."""
        for connection in list(self._connections):
            connection.abort()
            await connection.finish()

    # Connections

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket until it ends."""
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        connection = Connection(socket, request, delay=self._world.settings.latency / 2)
        self._connections.add(connection)
        connection.send(Op.HELLO, {"heartbeat_interval": int(self._world.settings.heartbeat_interval * 1000)})
        session: Session | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    connection.close(CloseCode.DECODE_ERROR)
                    continue
                session = self._receive(connection, session, json.loads(frame.data))
        finally:
            self._connections.discard(connection)
            await asyncio.shield(connection.finish())
            if session and session.connection is connection:
                session.connection = None
                self._world.feed.publish(Event(kind=EventKind.CONNECTION_LOST, data={"session": session.id}))
        return socket

    def _receive(self, connection: Connection, session: Session | None, frame: Payload) -> Session | None:
        op, data = frame.get("op"), frame.get("d")
        if op == Op.HEARTBEAT:
            connection.send(Op.HEARTBEAT_ACK, None)
        elif op in (Op.IDENTIFY, Op.RESUME) and session:
            connection.close(CloseCode.ALREADY_AUTHENTICATED)
        elif op == Op.IDENTIFY and isinstance(data, dict):
            return self._identify(connection, data)
        elif op == Op.RESUME and isinstance(data, dict):
            return self._resume(connection, data)
        elif session is None:
            connection.close(CloseCode.NOT_AUTHENTICATED)
        elif op == Op.REQUEST_MEMBERS and isinstance(data, dict):
            self._send_members(session, data)
        elif op not in (Op.PRESENCE, Op.VOICE_STATE):
            connection.close(CloseCode.UNKNOWN_OP)
        return session

    def _refuse(self, connection: Connection, code: CloseCode) -> None:
        connection.close(code)
        self._world.feed.publish(Event(kind=EventKind.SESSION_REFUSED, data={"code": int(code)}))

    def _identify(self, connection: Connection, data: Payload) -> Session | None:
        settings = self._world.settings
        intents = int(data.get("intents") or 0)
        if data.get("token") != settings.accepted_token:
            self._refuse(connection, CloseCode.AUTHENTICATION_FAILED)
            return None
        if intents & PRIVILEGED & ~settings.privileged_intents:
            self._refuse(connection, CloseCode.DISALLOWED_INTENTS)
            return None
        session = Session(intents, connection)
        self.sessions[session.id] = session
        guilds = self._world.bot_guilds()
        ready = {
            "v": 10,
            "user": user_payload(self._world.bot),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "application": {"id": str(self._world.bot.id), "flags": self._serializer.application()["flags"]},
        }
        session.dispatch("READY", ready | ({"shard": data["shard"]} if "shard" in data else {}))
        if intents & Intent.GUILDS:
            for guild in guilds:
                # By this key discord.py tells a guild that becomes available from one that the bot joins.
                session.dispatch("GUILD_CREATE", self._serializer.guild(guild) | {"unavailable": False})
        self._world.feed.publish(Event(kind=EventKind.READY, data={"session": session.id, "intents": intents}))
        return session

    def _resume(self, connection: Connection, data: Payload) -> Session | None:
        session = self.sessions.get(str(data.get("session_id")))
        if data.get("token") != self._world.settings.accepted_token:
            self._refuse(connection, CloseCode.AUTHENTICATION_FAILED)
            return None
        if session is None:
            connection.send(Op.INVALID_SESSION, data=False)
            return None
        session.resume(connection, int(data.get("seq") or 0))
        self._world.feed.publish(Event(kind=EventKind.RESUMED, data={"session": session.id}))
        return session

    def _send_members(self, session: Session, data: Payload) -> None:
        """Answer op 8, which discord.py sends for each guild when it has the members intent."""
        guild = self._world.guilds.get(as_id(data.get("guild_id")) or 0)
        if guild is None or not self._bot_is_in(guild):
            return
        wanted = {as_id(one) for one in data.get("user_ids") or []}
        begin = (data.get("query") or "").lower()
        members = [
            self._serializer.member(guild, member)
            for member in guild.members.values()
            if (not wanted or member.user_id in wanted)
            and self._world.users[member.user_id].name.lower().startswith(begin)
        ]
        chunk = {"guild_id": str(guild.id), "members": members, "chunk_index": 0, "chunk_count": 1}
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk | {"nonce": data.get("nonce")})

    # Events

    def _on_event(self, event: Event) -> None:
        for session in list(self.sessions.values()):
            if (data := self._seen_by(session, event)) is not None:
                session.dispatch(event.kind.value, data)

    def _seen_by(self, session: Session, event: Event) -> Payload | None:
        """Return the event as this session receives it; None if it does not."""
        if event.kind is EventKind.INTERACTION_CREATE and event.interaction:
            return self._serializer.interaction(event.interaction)
        if event.kind in _MESSAGES and event.message:
            return self._message_event(session, event.kind, event.message)
        if event.member and event.guild:
            return self._member_event(session, event.guild, event.member)
        if not session.intents & Intent.GUILDS:
            return None
        if event.kind in _CHANNELS and event.channel:
            return self._channel_event(event.kind, event.channel)
        if event.guild:
            return self._guild_event(event.kind, event.guild, event.role)
        return None

    def _guild_event(self, kind: EventKind, guild: Guild, role: Role | None) -> Payload | None:
        if kind is EventKind.GUILD_DELETE:
            return {"id": str(guild.id)}
        if not self._bot_is_in(guild):
            return None
        if kind in _ROLES and role:
            return {"guild_id": str(guild.id), "role": role_payload(role)}
        return self._serializer.guild(guild) if kind is EventKind.GUILD_CREATE else None

    def _member_event(self, session: Session, guild: Guild, member: Member) -> Payload | None:
        """The bot hears of itself without the intent for members."""
        if self._bot_is_in(guild) and (member.user_id == self._world.bot.id or session.intents & Intent.GUILD_MEMBERS):
            return self._serializer.member(guild, member) | {"guild_id": str(guild.id)}
        return None

    def _channel_event(self, kind: EventKind, channel: Channel) -> Payload | None:
        """A bot hears of all channels of its servers, and only of threads that it sees."""
        guild = self._world.guilds.get(channel.guild_id or 0)
        if guild is None or not self._bot_is_in(guild) or (kind in _THREADS and not self._bot_sees(channel)):
            return None
        payload = self._serializer.channel(channel)
        if kind is EventKind.THREAD_DELETE:
            return {key: payload[key] for key in ("id", "guild_id", "parent_id", "type")}
        return payload | ({"newly_created": True} if kind is EventKind.THREAD_CREATE else {})

    def _message_event(self, session: Session, kind: EventKind, message: Message) -> Payload | None:
        channel = self._world.channels.get(message.channel_id)
        # Ephemeral messages come with their interaction only.
        if channel is None or message.ephemeral or not self._bot_sees(channel):
            return None
        needed = Intent.DIRECT_MESSAGES if channel.kind is ChannelKind.DM else Intent.GUILD_MESSAGES
        if not session.intents & needed:
            return None
        if kind is EventKind.MESSAGE_DELETE:
            place = {"guild_id": str(message.guild_id)} if message.guild_id else {}
            return {"id": str(message.id), "channel_id": str(message.channel_id)} | place
        created = kind is EventKind.MESSAGE_CREATE
        return self._serializer.message(message, intents=session.intents, on_gateway=True, with_nonce=created)

    def _bot_is_in(self, guild: Guild) -> bool:
        return self._world.bot.id in guild.members

    def _bot_sees(self, channel: Channel) -> bool:
        return bool(self._world.permissions(self._world.bot.id, channel) & Permission.VIEW_CHANNEL)
