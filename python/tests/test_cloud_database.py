"""Instances whose database lies in a bucket, seen from Python: sessions that end, users who meet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import holotype as ln
from holotype import _session
from holotype.errors import InstanceLockedException, SyncConflict

if TYPE_CHECKING:
    from collections.abc import Iterator

    Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def atlas(bucket: str, home: Path) -> Iterator[str]:
    """A new, connected instance in a bucket, whose root is returned."""
    ln.setup.init(storage=bucket, name="atlas")
    yield bucket
    _session.use(None)


def elsewhere(code: str, home: Path, *, fails: bool = False) -> str:
    """Runs a script of another machine, whose home is given, and returns all that it printed."""
    home.mkdir(exist_ok=True)
    place = {"HOME": str(home), "LAMIN_CACHE_DIR": str(home / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        env=os.environ | place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def other(atlas: str, home: Path, tmp_path: Path) -> Path:
    """The home of another machine that knows the instance."""
    place = tmp_path / "other"
    file = Path(".lamin/instance--anonymous--atlas.env")
    (place / ".lamin").mkdir(parents=True)
    (place / file).write_text((Path.home() / file).read_text())
    return place


CONNECTED = 'import holotype as ln; ln.connect("anonymous/atlas")\n'


def test_a_session_sends_what_it_wrote_when_it_ends(atlas: str, other: Path, capsys: Capsys) -> None:
    ln.ULabel(name="here").save()
    ln.setup.disconnect()
    out = capsys.readouterr().out
    assert "! updating & unlocking cloud SQLite 's3://" in out
    script = CONNECTED + 'assert ln.ULabel.get(name="here"); ln.ULabel(name="there").save()'
    out = elsewhere(script, other)
    assert "! updating local SQLite & locking cloud SQLite (sync back & unlock: holotype disconnect)" in out
    assert out.endswith("of instance 'anonymous/atlas'\n"), "sent at the end of the process"
    with pytest.raises(InstanceLockedException, match="it is locked by 'anonymous'"):
        ln.connect("anonymous/atlas")
    elsewhere("import holotype as ln; ln.connect('anonymous/atlas'); ln.setup.disconnect()", other)
    ln.connect("anonymous/atlas", wait=1)
    assert {label.name for label in ln.ULabel.filter()} == {"here", "there"}
    with pytest.raises(ValueError, match="no time to wait"):
        ln.setup.disconnect()
        ln.connect("anonymous/atlas", wait=-1)


def test_the_end_of_a_run_is_a_good_moment_to_send(atlas: str, other: Path, capsys: Capsys) -> None:
    transform = ln.Transform(key="my-pipeline", kind="pipeline").save()
    ln.track(transform)
    Path("x.txt").write_text("x")
    ln.Artifact("x.txt", key="x.txt").save()
    capsys.readouterr()
    ln.finish()
    assert "! updating cloud SQLite 's3://" in capsys.readouterr().out
    ln.setup.disconnect()
    assert capsys.readouterr().out.startswith("! unlocking cloud SQLite 's3://"), "nothing is left to send"
    out = elsewhere(CONNECTED + 'print(ln.Artifact.get(key="x.txt").run.status)', other)
    assert "completed" in out


def test_work_that_cannot_be_sent_is_kept(atlas: str, other: Path, capsys: Capsys) -> None:
    ln.ULabel(name="here").save()
    subprocess.run(
        [Path(sys.executable).with_name("holotype"), "unlock", "anonymous/atlas", "--force"],
        env=os.environ | {"HOME": str(other)},
        check=True,
    )
    elsewhere(CONNECTED + 'ln.ULabel(name="there").save(); ln.setup.disconnect()', other)
    with pytest.raises(SyncConflict, match="your changes are kept in"):
        ln.setup.disconnect()
    assert ln.ULabel.get(name="here").name == "here"
    _session.use(None)
    capsys.readouterr()
    ln.connect("anonymous/atlas")
    assert "lamin.db.kept-" in capsys.readouterr().out
    assert [label.name for label in ln.ULabel.filter()] == ["there"]


def test_deleting_leaves_nothing_in_the_bucket(atlas: str, moto: object, capsys: Capsys) -> None:
    ln.ULabel(name="here").save()
    capsys.readouterr()
    ln.setup.delete("atlas", force=True)
    assert "another process" not in capsys.readouterr().out
    name = atlas.removeprefix("s3://").split("/")[0]
    assert moto.keys(name) == set()  # type: ignore[attr-defined]
