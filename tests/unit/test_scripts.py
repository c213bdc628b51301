"""The machine's small parts: places, servers, stale notes, stamps, children."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from scripts.children import Failed, StopFlag, run_step, start_child, stop_child
from scripts.cluster import place_cluster
from scripts.demo import SENDER, Demo
from scripts.locks import FileLock
from scripts.machine import Server, find_servers
from scripts.owner import Owner, private_folder
from scripts.place import Place, make_home, read_place
from scripts.postmaster import is_our_server
from scripts.say import Refusal, Stopped
from scripts.serve import _check_port
from scripts.static_files import ensure_static
from scripts.supervisor import Supervisor

OURSELVES = Owner(uid=os.geteuid(), gid=os.getegid(), switches=False)


def _place(*, home: Path, **given: str) -> Place:
    return read_place(source={"RAYON_HOME": str(home), **given})


def _server(root: Path, *, major: int, postgis: bool = True) -> Server:
    programs = root / f"usr/lib/postgresql/{major}/bin"
    programs.mkdir(parents=True)
    (programs / "initdb").touch()
    if postgis:
        extension = root / f"usr/share/postgresql/{major}/extension"
        extension.mkdir(parents=True)
        (extension / "postgis.control").touch()
    return Server(bin=programs, major=major)


def test_the_home_stands_in_the_checkout_unless_named() -> None:
    place = read_place(source={}, root=Path("/checkout"))
    assert (place.home, place.base_url) == (Path("/checkout/.rayon"), "http://127.0.0.1:8000")
    assert read_place(source={"RAYON_HOME": "/data"}).home == Path("/data")


def test_the_address_is_one_a_person_can_open() -> None:
    assert read_place(source={"HOST": "0.0.0.0", "PORT": "81"}).base_url == "http://127.0.0.1:81"
    assert read_place(source={"HOST": "::1"}).base_url == "http://[::1]:8000"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_wrong_port_is_refused_by_name(port: str) -> None:
    with pytest.raises(Refusal, match="PORT must be a whole number from 1 to 65535"):
        read_place(source={"PORT": port})


def test_a_home_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="RAYON_HOME .* cannot be written to: Not a directory"):
        make_home(place=_place(home=tmp_path / "file" / "home"))


def test_only_servers_with_postgis_are_found_and_the_newest_comes_first(tmp_path: Path) -> None:
    older, newer = _server(tmp_path, major=9), _server(tmp_path, major=15)
    _server(tmp_path, major=17, postgis=False)
    assert find_servers(root=tmp_path) == [newer, older]


def test_an_existing_cluster_is_served_by_the_version_that_made_it(tmp_path: Path) -> None:
    servers = [_server(tmp_path, major=17), _server(tmp_path, major=15)]
    folder = tmp_path / "postgres"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("15\n")
    cluster = place_cluster(home=tmp_path, folder=folder, servers=servers, owner=OURSELVES)
    assert cluster.server.major == 15
    with pytest.raises(Refusal, match=r"made by PostgreSQL 15; here is 17\. .*make clean"):
        place_cluster(home=tmp_path, folder=folder, servers=servers[:1], owner=OURSELVES)


def test_a_socket_path_the_kernel_would_refuse_is_replaced_by_a_short_one(tmp_path: Path) -> None:
    servers = [_server(tmp_path, major=15)]
    home = tmp_path / ("long" * 25)
    cluster = place_cluster(home=home, folder=home / "postgres", servers=servers, owner=OURSELVES)
    try:
        assert len(str(cluster.socket / ".s.PGSQL.5432")) < 100
        assert cluster.data == home / "postgres" / "data"
    finally:
        cluster.socket.rmdir()


def test_a_folder_of_somebody_elses_in_the_temporary_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = private_folder(purpose="db", home=Path("/home"), owner=OURSELVES)
    assert private_folder(purpose="db", home=Path("/home"), owner=OURSELVES) == made
    made.rmdir()
    made.symlink_to(tmp_path)
    with pytest.raises(Refusal, match="is not ours"):
        private_folder(purpose="db", home=Path("/home"), owner=OURSELVES)


@pytest.mark.parametrize(
    "note",
    [
        None,  # never started
        "",  # cut short
        "999999999\n{data}\n",  # no such process
        "{us}\n{data}\n",  # the number is another process's by now
        "{us}\n/elsewhere\n",  # the folder was copied
    ],
)
def test_a_stale_note_is_no_server(tmp_path: Path, note: str | None) -> None:
    if note is not None:
        (tmp_path / "postmaster.pid").write_text(note.format(data=tmp_path, us=os.getpid()))
    assert is_our_server(data=tmp_path) is False


def test_a_taken_port_is_refused_with_a_free_one_to_try(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            Refusal, match=f"Port {port} on 127.0.0.1 cannot be used: .*PORT={port + 1} make run"
        ):
            _check_port(place=_place(home=tmp_path, PORT=str(port)))
    _check_port(place=_place(home=tmp_path, PORT=str(port)))


def test_a_lock_is_alone_only_when_its_sharers_have_gone(tmp_path: Path) -> None:
    one, other = (FileLock(path=tmp_path / "lock") for _ in range(2))
    one.share()
    assert other.try_alone() is False
    one.close()
    assert other.try_alone() is True
    other.close()


def test_static_files_are_collected_once(tmp_path: Path) -> None:
    place, collected = _place(home=tmp_path), []

    def collect() -> None:
        (tmp_path / "static").mkdir(exist_ok=True)
        collected.append(1)

    assert ensure_static(place=place, collect=collect) == "collected"
    assert ensure_static(place=place, collect=collect) == "as collected before"
    (tmp_path / "static").rmdir()
    assert ensure_static(place=place, collect=collect) == "collected"
    assert len(collected) == 2


def test_the_demos_providers_are_started_once_and_tell_where_everything_goes(tmp_path: Path) -> None:
    place, made = _place(home=tmp_path), []
    make_home(place=place)
    children = Supervisor(place=place, flag=StopFlag())
    demo = Demo(place=place, children=children)

    def manage(*words: str) -> str:
        made.append(words)
        Path(words[-1]).touch()
        return ""

    try:
        demo.start(env=os.environ)
        page, env = demo.ready(manage=manage)
        assert demo.ready(manage=manage) == (page, env)
        children.raise_if_ended()
    finally:
        children.stop()

    key = str(tmp_path / "providers" / "vapid.pem")
    assert made == [("make_vapid_key", key)]
    assert {name: env[name] for name in SENDER} == SENDER
    assert (env["WEBPUSH_VAPID_KEY_FILE"], env["PUBLIC_URL"]) == (key, place.base_url)
    local = ("FCM_BASE_URL", "WEBPUSH_DEV_ORIGINS", "EMAIL_URL", "SMS_GATEWAY_URL")
    assert all("127.0.0.1" in env[name] for name in local) and env["APNS_HOST"] == "127.0.0.1"
    files = [Path(env[name]) for name in ("GOOGLE_APPLICATION_CREDENTIALS", "APNS_KEY_FILE", "APNS_CA_FILE")]
    assert {path.parent for path in files} == {tmp_path / "providers"}
    assert (tmp_path / "providers").stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "providers" / "state.json").exists()


def _run(tmp_path: Path, code: str, flag: StopFlag) -> str:
    command = [sys.executable, "-c", code]
    return run_step(
        name="A step", command=command, log=tmp_path / "log", env=os.environ, cwd=tmp_path, flag=flag
    )


def test_a_step_gives_what_it_wrote(tmp_path: Path) -> None:
    assert _run(tmp_path, "print('done')", StopFlag()) == "done\n"


def test_a_failed_step_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(Failed) as raised:
        _run(tmp_path, "print('why'); raise SystemExit(3)", StopFlag())
    assert str(raised.value) == f"A step failed.\nThe end of {tmp_path / 'log'}:\n    why"
    assert raised.value.output == "why"


def test_a_step_ends_when_we_are_asked_to_stop(tmp_path: Path) -> None:
    flag = StopFlag()
    flag.count = 1
    started = time.monotonic()
    with pytest.raises(Stopped):
        _run(tmp_path, "import time; time.sleep(60)", flag)
    assert time.monotonic() - started < 10


def test_stopping_a_child_ends_what_it_started_too(tmp_path: Path) -> None:
    code = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    command = [sys.executable, "-c", code]
    child = start_child(name="c", command=command, log=tmp_path / "log", env=os.environ, cwd=tmp_path)
    while not (tmp_path / "log").read_text().strip():
        time.sleep(0.01)
    grandchild = int((tmp_path / "log").read_text())
    stop_child(child=child, flag=StopFlag(), patience_s=5)
    assert child.is_alive is False
    assert _is_gone(grandchild)


def _is_gone(pid: int) -> bool:
    """Return whether the process has ended, be it that nobody has asked for its exit code yet."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except ProcessLookupError:
            return True
        except FileNotFoundError:  # a system without /proc
            pass
        time.sleep(0.05)
    return False


def test_a_child_that_dies_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    place = _place(home=tmp_path)
    make_home(place=place)
    supervisor = Supervisor(place=place, flag=StopFlag())
    steady = [sys.executable, "-c", "import time; time.sleep(60)"]
    broken = [sys.executable, "-c", "print('no bread today'); raise SystemExit(4)"]
    supervisor.start(name="server", command=steady, env=os.environ)
    supervisor.start(name="delivery", command=broken, env=os.environ)
    try:
        with pytest.raises(Refusal) as raised:
            supervisor.watch()
    finally:
        supervisor.stop()
    assert str(raised.value).splitlines() == [
        "The delivery process ended with exit code 4; everything else is being stopped.",
        f"The end of {tmp_path / 'log' / 'delivery.log'}:",
        "    no bread today",
    ]
