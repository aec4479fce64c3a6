"""The folder in which a demo keeps everything, so that the next one goes on where it ended."""

import fcntl
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LOCK = "lock"
_ADDRESS = "page.json"
_TOKEN = re.compile(r"[\w-]{16,}", re.ASCII)
_OURS = ("llampost.db*", "discord.jsonl*", "bot.log", "model.log", _ADDRESS)


class HomeTakenError(Exception):
    """Another demo runs in this folder; the text says where its page is."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a demo keeps what it has: the bot's database and log, the simulated Discord, the page's address."""

    folder: Path

    @property
    def discord(self) -> Path:
        """The file of the simulated Discord's world."""
        return self.folder / "discord.jsonl"

    @contextmanager
    def taken(self, *, fresh: bool) -> Iterator[None]:
        """Keep other demos out; `fresh` empties the folder first. Raises HomeTakenError, OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("w") as lock:
            try:
                # The system lets go of it however we end.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeTakenError(
                    f"A demo runs already with the folder {self.folder}: {self._known().get('url', 'see its terminal')}"
                ) from None
            if fresh:
                self._empty()
            yield

    def token(self) -> str:
        """The secret in the page's address: kept, so that a tab that is still open finds the next demo."""
        kept = self._known().get("token")
        return kept if isinstance(kept, str) and _TOKEN.fullmatch(kept) else secrets.token_urlsafe(16)

    def remember(self, *, url: str, token: str) -> None:
        """Note the page's address, readable by its owner only."""
        file = self.folder / _ADDRESS
        file.touch(mode=0o600)
        file.write_text(json.dumps({"url": url, "token": token}), encoding="utf-8")

    def _known(self) -> dict[str, str]:
        try:
            known = json.loads((self.folder / _ADDRESS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _empty(self) -> None:
        # Only what is ours: somebody may name a folder that holds other things as well.
        for pattern in _OURS:
            for file in self.folder.glob(pattern):
                file.unlink()
