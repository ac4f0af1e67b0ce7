"""A command to the daemon is a file that is whole or not there, taken once, in order."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

from core.lock import FILE_NAME
from scripts.commands import FOLDER, Command, Verb, send, take

ROOT = Path(__file__).resolve().parents[2]


def test_commands_wait_for_a_daemon_that_is_not_running_and_come_in_order(tmp_path: Path) -> None:
    assert send(tmp_path, Command(Verb.PAUSE, "lunch")) is None
    assert send(tmp_path, Command(Verb.FLATTEN, "holiday")) is None
    assert list(take(tmp_path)) == [Command(Verb.PAUSE, "lunch"), Command(Verb.FLATTEN, "holiday")]


def test_a_command_is_taken_once(tmp_path: Path) -> None:
    send(tmp_path, Command(Verb.RESUME, "back"))
    assert len(list(take(tmp_path))) == 1
    assert list(take(tmp_path)) == []


def test_commands_sent_side_by_side_are_all_there(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def speak(who: int) -> None:
        start.wait()
        for n in range(25):
            send(tmp_path, Command(Verb.SCAN, f"{who}.{n}"))

    threads = [threading.Thread(target=speak, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [command.reason for command in take(tmp_path)]
    assert sorted(said) == sorted(f"{who}.{n}" for who in range(8) for n in range(25))
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_file_nobody_can_read_is_set_aside_and_hides_no_other(tmp_path: Path) -> None:
    box = tmp_path / FOLDER
    box.mkdir()
    (box / "000001.json").write_text('{"verb": "sell everything"}')
    (box / "000002.json").write_text("not json")
    (box / "000003.new").write_text('{"verb": "halt", "reason": "half writ')
    send(tmp_path, Command(Verb.HALT, "storm"))
    assert list(take(tmp_path)) == [Command(Verb.HALT, "storm")]
    assert sorted(p.name for p in box.glob("*.unreadable")) == ["000001.unreadable", "000002.unreadable"]


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a session of its own, so that a signal to a whole group stays there."""
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, start_new_session=True)


LOUD = """
import signal, sys
from pathlib import Path
from core.lock import FolderLock
from scripts.commands import Command, Verb, send
from scripts.signals import ignore_doorbell
folder = Path(sys.argv[1])
ignore_doorbell()
lock = FolderLock(folder)
print(send(folder, Command(Verb.HALT, "now")), flush=True)
"""


def test_a_daemon_that_cannot_answer_its_doorbell_yet_lives_on(tmp_path: Path) -> None:
    done = run(LOUD, tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
    assert list(take(tmp_path)) == [Command(Verb.HALT, "now")]


NAMELESS = """
import fcntl, sys
from pathlib import Path
from core.lock import FILE_NAME
from scripts.commands import Command, Verb, send
folder = Path(sys.argv[1])
held = (folder / FILE_NAME).open("w")
fcntl.flock(held, fcntl.LOCK_EX)
print(send(folder, Command(Verb.HALT, "now")), flush=True)
"""


def test_nobody_is_rung_while_the_first_engine_of_a_folder_has_not_said_who_it_is(tmp_path: Path) -> None:
    done = run(NAMELESS, tmp_path)
    assert done.returncode == 0  # process id 0 would be all of its own group
    assert done.stdout == "0\n"
    assert list(take(tmp_path)) == [Command(Verb.HALT, "now")]


def test_a_daemon_that_ended_just_now_is_no_error(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with (tmp_path / FILE_NAME).open("w") as held:
        held.write(f"{ended.pid}\n")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        send(tmp_path, Command(Verb.HALT, "now"))
    assert list(take(tmp_path)) == [Command(Verb.HALT, "now")]
