"""Scripts matched with a git repository: the transform says where exactly its code is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from test_surroundings import GIT
from test_track import Lab

URL = "https://git.lab.org/lab/code"
TRACK = f"ln.settings.sync_git_repo = '{URL}.git'\nln.track()\nln.finish()\n# "


class Clone(Lab):
    """A lab whose folder is the clone of a repository that git finds under an address of the web."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.upstream = folder / "upstream.git"
        config = f'[url "{self.upstream}"]\n\tinsteadOf = {URL}.git\n\tinsteadOf = {URL}\n'
        (self.home / ".gitconfig").write_text(f"{config}[uploadpack]\n\tallowFilter = true\n")
        self.git("init", "-q", "--bare", str(self.upstream))
        self.git("init", "-q")
        self.git("remote", "add", "origin", f"https://jane:hunter2@{URL.removeprefix('https://')}.git")
        self.git("remote", "set-url", "--push", "origin", str(self.upstream))
        self.write("other.txt", "")
        self.commit("other.txt")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            [*GIT, *words], cwd=self.folder, env=self.env(), capture_output=True, encoding="utf-8", check=True
        )
        return done.stdout.strip()

    def commit(self, name: str, branch: str = "main") -> str:
        """Commits a file and pushes; returns the commit."""
        self.git("add", name)
        self.git("commit", "-q", "-m", name)
        self.git("push", "-q", str(self.upstream), f"HEAD:{branch}")
        self.git("update-ref", f"refs/remotes/origin/{branch}", "HEAD")
        return self.git("rev-parse", "HEAD")

    def references(self) -> list[list[str | None]]:
        found: list[list[str | None]] = self.ask(
            "[[t.reference, t.reference_type] for t in ln.Transform.filter().order_by('id')]"
        )
        return found


@pytest.fixture
def lab(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_a_pushed_script_is_referred_to(lab: Clone) -> None:
    lab.write("sub/s.py", f"{TRACK}1")
    first = lab.commit("sub/s.py")
    lab.write("sub/s.py", f"{TRACK}2")
    lab.commit("sub/s.py")
    # Code that was taken back is found where it was, and the folder may be of any name.
    lab.write("sub/s.py", f"{TRACK}1")
    lab.run("sub/s.py")
    assert lab.references() == [[f"{URL}/blob/{first}/sub/s.py", "url"]]
    lab.run("sub/s.py")
    assert lab.ask("ln.Run.filter().count()") == 2


def test_a_script_that_was_not_pushed_is_refused(lab: Clone) -> None:
    lab.write("s.py", f"{TRACK}1")
    lab.git("add", "s.py")
    lab.git("commit", "-q", "-m", "local")
    told = lab.run("s.py", fails=True)
    assert f"Did not find blob hash {lab.git('hash-object', 's.py')} in git repo: {URL}\n" in told
    assert f"Did you commit & push the script to the remote repo? -> {lab.folder / 's.py'}" in told
    assert "hunter2" not in told
    assert lab.ask("[ln.Run.filter().count(), ln.Transform.filter().count()]") == [0, 0]


def test_code_of_another_branch_is_mentioned(lab: Clone) -> None:
    lab.git("checkout", "-q", "-b", "trial")
    lab.write("s.py", f"{TRACK}1")
    commit = lab.commit("s.py", "trial")
    told = lab.run("s.py")
    blob = lab.git("hash-object", "s.py")
    assert f"! code blob hash {blob} was found in non-default branch(es): trial" in told
    assert lab.references() == [[f"{URL}/blob/{commit}/s.py", "url"]]


def test_a_script_outside_of_the_repository_needs_no_clone_of_its_own(lab: Clone, tmp_path: Path) -> None:
    lab.write("flow.py", "@ln.flow()\ndef main(): pass\nmain()")
    commit = lab.commit("flow.py")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "flow.py").write_bytes((lab.folder / "flow.py").read_bytes())
    for _ in range(2):
        lab.run(str(outside / "flow.py"), LAMINDB_SYNC_GIT_REPO=URL)
    assert lab.references() == [[f"{URL}/blob/{commit}/flow.py", "url"]]
    url = f"file://{lab.upstream}"
    for _ in range(2):
        lab.python(f"import holotype as ln; ln.Transform.from_git({url!r}, 'flow.py')")
    mirrors = sorted((lab.home / ".cache/lamindb/repositories").iterdir())
    assert len(mirrors) == 2
    # What came later is fetched, not cloned again.
    lab.write("flow2.py", "@ln.flow()\ndef main(): pass\nmain()\nprint(2)")
    commit = lab.commit("flow2.py")
    (outside / "flow2.py").write_bytes((lab.folder / "flow2.py").read_bytes())
    lab.run(str(outside / "flow2.py"), LAMINDB_SYNC_GIT_REPO=URL)
    assert lab.references()[-1] == [f"{URL}/blob/{commit}/flow2.py", "url"]
    assert sorted((lab.home / ".cache/lamindb/repositories").iterdir()) == mirrors
