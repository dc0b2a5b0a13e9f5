"""The real LaminDB and Holotype on one instance in a bucket: one works, the other waits its turn.

LaminDB connects to an instance in a bucket through its hub only. Here it is made to do the same without: it
opens what its settings name, and takes and gives back the lock by the calls that connecting consists of.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import holotype as ln
from holotype import _session
from holotype.errors import InstanceLockedException
from referee.client import Referee

if TYPE_CHECKING:
    from servers import Server

# Steps, each in a process of its own: what LaminDB does in a bucket that it is told to work with.
STEPS = """\
import sys
import lamindb_setup as setup

instance = setup.settings.instance
instance._is_on_hub = False
locker = instance._cloud_sqlite_locker
step = sys.argv[1]
if step == "try":
    locker.lock()
    print("lock:", locker.has_lock, locker._locked_by)
else:
    print("loaded:", instance._load_db())
    import lamindb as ln

    ln.setup.settings.instance._is_on_hub = False
    print("labels:", sorted(label.name for label in ln.ULabel.filter()))
    if step == "work":
        ln.ULabel(name="theirs").save()
    if step != "work":
        setup.disconnect()
"""

USER = {"email": "r@example.org", "uid": "Referee1", "handle": "referee"}
FIELDS = ["email", "password", "access_token", "uid", "uuid", "handle", "name", "api_key"]


class CloudReferee(Referee):
    """LaminDB as another user, who knows the instance of this test."""

    def __init__(self, home: Path, work: Path, server: Server) -> None:
        """Gives the user the settings of the present one's instance."""
        super().__init__(home, work)
        self.server = server
        settings = self.home / ".lamin"
        settings.mkdir()
        shutil.copy(Path.home() / ".lamin/instance--anonymous--atlas.env", settings)
        user = "".join(f"lamin_user_{name}={USER.get(name, 'null')}\n" for name in FIELDS)
        (settings / "current_user.env").write_text(user)
        (self.work / ".lamin").mkdir()
        (self.work / ".lamin/current_instance").write_text("anonymous/atlas")
        self.steps = self.work / "steps.py"
        self.steps.write_text(STEPS)

    def environment(self) -> dict[str, str]:
        """Returns the variables with the keys of the server."""
        return super().environment() | self.server.variables

    def step(self, name: str) -> str:
        """Does a step and returns what was printed."""
        return self.script(self.steps, name)


def labels() -> list[str]:
    """Returns the names of all labels."""
    return sorted(label.name for label in ln.ULabel.filter())


def test_each_keeps_the_other_out_and_finds_what_it_left(
    bucket: str, moto: Server, home: Path, tmp_path: Path
) -> None:
    ln.setup.init(storage=bucket, name="atlas")
    ln.ULabel(name="ours").save()
    referee = CloudReferee(tmp_path / "referee", tmp_path / "elsewhere", moto)
    assert "lock: False 00000000" in referee.step("try")
    ln.setup.disconnect()
    assert "labels: ['ours']" in referee.step("work")

    with pytest.raises(InstanceLockedException, match="locked by uid: 'Referee1'"):
        ln.connect("anonymous/atlas")
    assert "labels: ['ours', 'theirs']" in referee.step("leave")
    ln.connect("anonymous/atlas")
    assert labels() == ["ours", "theirs"]
    ln.ULabel(name="ours again").save()
    assert "lock: False 00000000" in referee.step("try")
    ln.setup.disconnect()
    assert "labels: ['ours', 'ours again', 'theirs']" in referee.step("leave")
    _session.use(None)
