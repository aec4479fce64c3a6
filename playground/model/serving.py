"""The model that the command line asks for, served while it is needed."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playground.model.choice import Embedded, Found, choose
from playground.model.download import DownloadError
from playground.model.process import EmbeddedModel, ModelFailedError
from playground.terminal import tell

# A tiny model rambles, is slow with a long memory, and soon loses itself where it may choose its words freely.
_FOR_A_TINY_MODEL = {"OLLAMA_NUM_PREDICT": "250", "OLLAMA_NUM_CTX": "2048", "OLLAMA_TEMPERATURE": "0.2"}


@dataclass(frozen=True, slots=True)
class Served:
    """A model that can be asked."""

    host: str
    model: str
    embedded: bool
    file: Path | None = None
    """Where somebody named one for the embedded model."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What the bot had better be set to with it."""
        return _FOR_A_TINY_MODEL if self.embedded else {}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a command line say which model to use; without a word, it is an Ollama's, else the embedded one."""
    parser.add_argument("--model", help="the model; default: OLLAMA_MODEL, else the smallest one of the Ollama")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--ollama", metavar="URL", help="where Ollama is; default: OLLAMA_HOST, else this machine")
    source.add_argument("--embedded", action="store_true", help="use the embedded model even where an Ollama answers")
    source.add_argument("--model-file", metavar="FILE", type=_file, help="a model in GGUF instead of the embedded one")


def _file(text: str) -> Path:
    file = Path(text)
    if not file.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return file


async def chosen(options: argparse.Namespace) -> Found | Embedded:
    """Return what the command line, the environment and the machine decide together. Raises NoModelError."""
    if options.embedded:
        return Embedded(None)
    return await choose(options.ollama, options.model, options.model_file)


@asynccontextmanager
async def served(choice: Found | Embedded, folder: Path) -> AsyncIterator[Served]:
    """Serve the choice; the embedded model logs in `folder`, and is started again where it ends by itself.

    Raises DownloadError, ModelFailedError.
    """
    if isinstance(choice, Found):
        yield Served(choice.host, choice.model, embedded=False)
        return
    async with EmbeddedModel(folder, file=choice.file) as model:
        keeping = asyncio.create_task(keep(model, tell))
        try:
            yield Served(model.host, model.model, embedded=True, file=choice.file)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def keep(model: EmbeddedModel, report: Callable[[str], None]) -> None:
    """Start it again whenever it ends by itself, and report that in sentences; return where it can't be started."""
    while True:
        code = await model.exited()
        report(f"The demo model ended with exit code {code}, so it is started again.")
        try:
            await model.start()
        except (DownloadError, ModelFailedError, OSError) as failure:
            report(f"There is no demo model any more, so start the demo again. {failure}")
            return
        report("The demo model is back.")
