from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event
from pathlib import Path

from signsvc.workspace import workspace


def hold(tmp: Path, ready: Event) -> None:
    with workspace(tmp) as folder:
        (folder / "plain.txt").write_text("秘密", "utf-8")
        ready.set()
        time.sleep(60)


def holder(tmp: Path) -> multiprocessing.context.SpawnProcess:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(tmp, ready))
    process.start()
    assert ready.wait(30)
    return process


def test_the_folder_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with workspace(tmp_path / "tmp") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "tmp").stat().st_mode) == 0o700
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_a_killed_process_left_is_wiped_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    tmp = tmp_path / "tmp"
    dead, living = holder(tmp), holder(tmp)
    try:
        assert len(list(tmp.glob("*/plain.txt"))) == 2
        os.kill(dead.pid or 0, signal.SIGKILL)
        dead.join()
        with workspace(tmp):
            assert len(list(tmp.glob("*/plain.txt"))) == 1
    finally:
        living.kill()
        living.join()
    with workspace(tmp):
        assert list(tmp.glob("*/plain.txt")) == []


def test_stray_files_and_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    tmp, outside = tmp_path / "tmp", tmp_path / "outside"
    tmp.mkdir()
    outside.mkdir()
    (outside / "kept").touch()
    (tmp / "link").symlink_to(outside)
    (tmp / "stray").touch()
    with workspace(tmp):
        assert not (tmp / "stray").exists()
        assert not (tmp / "link").is_symlink()
    assert (outside / "kept").exists()


def test_nobody_wipes_a_folder_that_was_just_made(tmp_path: Path) -> None:
    def enter(_: int) -> bool:
        with workspace(tmp_path / "tmp") as folder:
            return (folder / "lock").exists()

    with ThreadPoolExecutor(6) as crowd:
        assert all(crowd.map(enter, range(600)))
