"""One Python that has imported what all our services import, and forks each of them.

Five processes start in little more than the time of one and share the memory of what they have in common. The nursery
imports libraries only, and starts no thread: a fork of it is a fresh process that happens to know them already.
"""

import asyncio
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from deploy.local.child import Child, Program, dies_with_its_parent, surroundings

# What our services import before their own code. One that is missing or renamed costs time, nothing else.
LIBRARIES: Final = (
    "alembic.command", "asyncpg", "babel.dates", "babel.support", "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.hkdf", "fastapi", "fastapi.staticfiles", "holidays", "httpx2", "itsdangerous",
    "jinja2", "joserfc.jwk", "joserfc.jwt", "nats", "nats.js", "pydantic_settings", "pwdlib", "python_multipart",
    "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.ext.asyncio", "sqlmodel", "sqlmodel.ext.asyncio.session",
    "starlette.middleware", "structlog", "temporalio.client", "temporalio.contrib.pydantic", "temporalio.worker",
    "temporalio.worker.workflow_sandbox", "uvicorn", "uvicorn.lifespan.on", "uvicorn.protocols.http.httptools_impl",
    "uvloop", "aiosmtplib", "email.mime.multipart", "stdnum", "click",
)  # fmt: skip


class Nursery:
    """The process that forks, seen from the supervisor."""

    def __init__(self, log: Path, folder: Path, libraries: tuple[str, ...] = LIBRARIES) -> None:
        self._log, self._folder, self._libraries = log, folder, libraries
        self._popen: subprocess.Popen[bytes] | None = None
        self._heard = b""
        self._birth: asyncio.Future[int] | None = None
        self._living: dict[int, Forked] = {}
        self._lost: dict[int, int] = {}
        self._one_at_a_time = asyncio.Lock()
        self._closed = False

    def open(self) -> None:
        """Start it; from now on it imports, while others get ready."""
        self._closed = False
        with open(self._log, "ab") as log:
            self._popen = subprocess.Popen(
                (sys.executable, "-m", "deploy.local.nursery", *self._libraries),
                cwd=self._folder,
                env=surroundings(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_its_parent(signal.SIGKILL),
            )
        assert self._popen.stdout is not None
        os.set_blocking(self._popen.stdout.fileno(), False)
        asyncio.get_running_loop().add_reader(self._popen.stdout.fileno(), self._listen)

    async def fork(self, program: Program, log: Path) -> "Forked":
        """A process of this program; who no longer wants it when it is there gets rid of it."""
        birth = asyncio.ensure_future(self._fork(program, log))
        try:
            return await asyncio.shield(birth)
        except asyncio.CancelledError:
            with contextlib.suppress(ChildProcessError):  # then there is nobody to get rid of
                (await birth).send(signal.SIGKILL)
            raise

    async def _fork(self, program: Program, log: Path) -> "Forked":
        async with self._one_at_a_time:
            if self._closed:
                raise ChildProcessError("the nursery is closed")
            if self._popen is None or self._popen.poll() is not None:
                self.open()
            assert self._popen is not None
            assert self._popen.stdin is not None
            wish = {
                "words": program.forked,
                "environment": dict(program.environment),
                "folder": str(program.folder),
                "log": str(log),
                "name": program.name,
            }
            self._birth = asyncio.get_running_loop().create_future()
            self._popen.stdin.write(json.dumps(wish).encode() + b"\n")
            self._popen.stdin.flush()
            pid = await self._birth
            child = self._living[pid] = Forked(program, pid)
            if pid in self._lost:
                self._living.pop(pid).over(self._lost.pop(pid))
            return child

    async def close(self) -> None:
        """End it, for good; its children are stopped before, by those who keep them."""
        self._closed = True
        if self._popen is None:
            return
        self._popen.kill()
        self._all_gone()

    def _listen(self) -> None:
        assert self._popen is not None
        assert self._popen.stdout is not None
        new = os.read(self._popen.stdout.fileno(), 65_536)
        if not new:
            self._all_gone()
        *lines, self._heard = (self._heard + new).split(b"\n")
        for line in lines:
            word, pid, code = line.split()
            if word == b"born":
                assert self._birth is not None
                self._birth.set_result(int(pid))
            elif child := self._living.pop(int(pid), None):
                child.over(int(code))
            else:
                self._lost[int(pid)] = int(code)

    def _all_gone(self) -> None:
        """The nursery is dead, and the kernel has ended its children with it."""
        popen, self._popen, self._heard = self._popen, None, b""
        assert popen is not None
        assert popen.stdin is not None
        assert popen.stdout is not None
        asyncio.get_running_loop().remove_reader(popen.stdout.fileno())
        popen.wait()
        popen.stdout.close()
        with contextlib.suppress(OSError):
            popen.stdin.close()
        for child in self._living.values():
            child.over(-signal.SIGKILL)
        self._living.clear()
        if self._birth is not None and not self._birth.done():
            self._birth.set_exception(ChildProcessError("the nursery ended"))


class Forked(Child):
    """A process the nursery has forked; the nursery says when it is over."""

    def __init__(self, program: Program, pid: int) -> None:
        super().__init__(program)
        self._pid, self._over = pid, asyncio.Event()
        self._code: int | None = None

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def code(self) -> int | None:
        return self._code

    def over(self, code: int) -> None:
        self._code = code
        self._over.set()

    async def ended(self) -> int:
        await self._over.wait()
        assert self._code is not None
        return self._code

    def send(self, number: signal.Signals) -> None:
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)


# -- inside the nursery


def _main(libraries: list[str]) -> None:
    for library in libraries:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, _bury)
    nursery = os.getpid()
    for line in sys.stdin.buffer:
        wish = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # nobody is buried before he is announced
        if (pid := os.fork()) == 0:
            _become(wish, nursery)
            return
        os.write(1, f"born {pid} 0\n".encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _bury(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            os.write(1, f"dead {found[0]} {os.waitstatus_to_exitcode(found[1])}\n".encode())


def _become(wish: dict[str, Any], nursery: int) -> None:
    """In the new process: be the program, as if it had been started alone; not without its nursery, though."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    os.setsid()
    dies_with_its_parent(signal.SIGKILL, nursery)()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(15, wish["name"].encode()[:15])  # what `ps -o comm` and `top` show
    log = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    os.chdir(wish["folder"])
    os.environ.update(wish["environment"])
    module, *arguments = wish["words"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
