"""The process that asks the modules: questions come in, replies go out, one after the other.

`python -m scripts.scanning.worker`, started by apart.py and by nobody else. A message is its length in four
bytes and then a body; the first one in is the modules, pickled, those after it are questions (wire.py). An
empty one out says that the modules are there, those after it are replies, pickled.
What a module prints goes to the errors, so that it cannot be taken for a reply.
"""

from __future__ import annotations

import os
import pickle
import queue
import resource
import struct
import sys
import threading
import time
from typing import BinaryIO, Final

from scripts.scanning.wire import Unpacker
from strategy.auxiliary.language import Module
from strategy.auxiliary.scanning.asking import asked

HEAD: Final = struct.Struct(">I")
MEMORY_BYTES: Final = 2 * 2**30  # a module that wants more gets a MemoryError
NICE: Final = 10  # the engine goes first


def read(source: BinaryIO) -> bytes:
    """Return the body of the next message. Raises EOFError when there is none any more."""
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        raise EOFError
    (length,) = HEAD.unpack(head)
    body = source.read(length)
    if len(body) < length:
        raise EOFError
    return body


def message(body: bytes) -> bytes:
    return HEAD.pack(len(body)) + body


def main() -> None:
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    source, unpacker = sys.stdin.buffer, Unpacker()
    modules: dict[str, Module] = {module.name: module for module in pickle.loads(read(source))}
    threading.Thread(target=_listen, args=(source, waiting), daemon=True).start()
    out.write(message(b""))
    while True:
        for question in unpacker.questions(waiting.get()):
            reply = asked(modules, question, time.perf_counter)
            out.write(message(pickle.dumps(reply, protocol=pickle.HIGHEST_PROTOCOL)))


def _listen(source: BinaryIO, waiting: queue.SimpleQueue[bytes]) -> None:
    """Hand on what comes. Nothing comes any more once the engine is gone: then nobody waits for a reply, and
    a module that hangs must not stay behind."""
    try:
        while True:
            waiting.put(read(source))
    except EOFError:
        os._exit(0)


if __name__ == "__main__":
    main()
