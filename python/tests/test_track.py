"""Tracking from scripts, each in a process of its own."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# Where the package under test lies: an installation, or the source tree.
SOURCE = Path(str(find_spec("holotype").origin)).parents[1]  # type: ignore[union-attr]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
STARTED = (
    r"→ {verb} Transform\('(\w{{16}})', key='{key}'\), started new Run\('(\w{{16}})'\) "
    r"at \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
)


def started(verb: str, key: str) -> str:
    return STARTED.format(verb=verb, key=re.escape(key))


class Lab:
    """A folder with an instance, in which scripts run."""

    def __init__(self, folder: Path) -> None:
        self.home, self.folder = folder / "home", folder / "work"
        for made in (self.home, self.folder):
            made.mkdir()
        self.python("import holotype as ln; ln.setup.init(storage='../storage')")

    def env(self, **more: str) -> dict[str, str]:
        dropped = ("LAMIN", "HOLOTYPE", "XDG_", "JPY_", "NBPRJ", "UV", "PIXI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        path = os.pathsep.join(filter(None, (str(SOURCE), kept.get("PYTHONPATH"))))
        return kept | {"HOME": str(self.home), "PYTHONPATH": path} | more

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        env = self.env(**options.pop("env", {}))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [sys.executable, *command], cwd=self.folder, env=env, encoding="utf-8", **pipes, **options
        )

    def python(self, code: str) -> str:
        process = self.start("-c", code)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out

    def ask(self, expression: str) -> Any:
        """Returns the value of an expression about the instance."""
        code = f"import json, holotype as ln\nprint(json.dumps({expression}, default=str))"
        return json.loads(self.python(code).splitlines()[-1])

    def write(self, name: str, code: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"import holotype as ln\n{code}\n")
        return path

    def run(self, name: str, *arguments: str, fails: bool = False, answer: str = "", **env: str) -> str:
        """Runs a script and returns what it printed."""
        process = self.start(name, *arguments, env=env)
        out, err = process.communicate(answer, timeout=120)
        assert (process.returncode != 0) == fails, err
        return COLOUR.sub("", out + err)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_script_gets_a_transform_and_each_execution_a_run(lab: Lab) -> None:
    lab.write("s1.py", "ln.track()\nln.finish()\nprint(ln.context.run, ln.context.transform)")
    first = lab.run("s1.py")
    found = re.search(started("created", "s1.py"), first)
    assert found is not None
    assert f'• tip: to identify the script across renames, pass the uid: ln.track("{found[1][:12]}")' in first
    assert first.splitlines()[-1] == "None None"
    second = re.search(started("loaded", "s1.py"), lab.run("s1.py"))
    assert second is not None
    assert second[1] == found[1]
    assert second[2] != found[2]
    runs = lab.ask(
        "[[r.uid, r.status, r._is_consecutive, r.cli_args, r.finished_at is not None]"
        " for r in ln.Run.filter()]"
    )
    assert runs == [[uid, "completed", True, None, True] for uid in (found[2], second[2])]
    transform = lab.ask("[[t.kind, t.description, t.source_code, t.hash] for t in ln.Transform.filter()]")
    assert [row[:2] for row in transform] == [["script", None]]
    assert transform[0][2] == (lab.folder / "s1.py").read_text()


def test_a_script_that_is_named_from_another_folder_has_the_key_of_its_own(lab: Lab) -> None:
    lab.write("scripts/in.py", "ln.track()\nprint(ln.context.transform.key)")
    (lab.folder.parent / "out.py").write_text("# outside\n" + (lab.folder / "scripts/in.py").read_text())
    (lab.folder / "results").mkdir()
    assert lab.run("results/../scripts/in.py").splitlines()[-1] == "scripts/in.py"
    assert lab.run("../out.py").splitlines()[-1] == "out.py"


def test_a_changed_script_is_a_new_version(lab: Lab) -> None:
    lab.write("s2.py", "ln.track()\nln.finish()")
    lab.run("s2.py")
    lab.write("s2.py", "ln.track()\nprint('more')\nln.finish()")
    told = lab.run("s2.py")
    assert "→ found script s2.py, making new version" in told
    assert re.search(started("created", "s2.py"), told)
    assert [uid[12:] for uid in lab.ask("[t.uid for t in ln.Transform.filter()]")] == ["0000", "0001"]


def test_a_renamed_script_asks_what_it_is(lab: Lab) -> None:
    script = lab.write("old.py", "ln.track()\nln.finish()")
    lab.run("old.py")
    script.rename(script.with_name("new.py"))
    question = (
        "Found transform with same hash but different key: old.py. Did you rename your script to new.py (1) "
        "or intentionally made a copy (2)?"
    )
    told = lab.run("new.py", answer="1\n")
    assert question in told
    assert "renaming transform old.py to new.py" in told
    assert re.search(started("loaded", "new.py"), told)
    script.with_name("new.py").rename(script.with_name("copy.py"))
    assert re.search(started("created", "copy.py"), lab.run("copy.py", answer="both\n2\n"))
    assert lab.ask("sorted(t.key for t in ln.Transform.filter())") == ["copy.py", "new.py"]


def test_nobody_to_ask_makes_a_copy_and_tests_a_rename(lab: Lab) -> None:
    script = lab.write("a.py", "ln.track()\nln.finish()")
    lab.run("a.py")
    script.rename(script.with_name("b.py"))
    assert re.search(started("created", "b.py"), lab.run("b.py"))
    script.with_name("b.py").rename(script.with_name("c.py"))
    told = lab.run("c.py", LAMIN_TESTING="true")
    assert "Found transform" not in told
    assert re.search(started("loaded", "c.py"), told)


def test_a_uid_names_the_transform(lab: Lab) -> None:
    lab.write("u.py", "ln.track('AbCdEfGhIjKl')\nln.finish()")
    told = lab.run("u.py")
    assert "created Transform('AbCdEfGhIjKl0000', key='u.py')" in told
    assert "tip:" not in told
    (lab.folder / "u.py").rename(lab.folder / "v.py")
    assert "loaded Transform('AbCdEfGhIjKl0000', key='v.py')" in lab.run("v.py")
    lab.write("w.py", "ln.track('bad')")
    refused = lab.run("w.py", fails=True)
    assert re.search(
        r"InvalidArgument: Please pass an auto-generated uid instead of \"bad\". "
        r"Resolve by running: ln\.track\(\"\w{12}\"\)",
        refused,
    )
    lab.write("v.py", "ln.track('AbCdEfGhIjKl0000')\nprint(2)")
    changed = lab.run("v.py", fails=True)
    assert "UpdateContext: ✗ source code changed, please update the `uid` argument" in changed
    assert 'in `track()` to "AbCdEfGhIjKl0001"' in changed


def test_the_context_holds_what_is_set_before(lab: Lab) -> None:
    lab.write(
        "c.py",
        "ln.context.uid, ln.context.version, ln.context.name = 'AbCdEfGhIjKl', '2', 'Nice'\n"
        "ln.context.track()\n"
        "c = ln.context\n"
        "print(dir(c))\n"
        "print(c.uid, c.version, c.description, c.name, c.path.name, c.space.name, c.branch.name, c.project)"
        "\n"
        "ln.context.finish()\n"
        "print(c.run, c.uid, c.version, c.path)",
    )
    told = lab.run("c.py").splitlines()
    assert told[-3:] == [
        "['branch', 'description', 'project', 'run', 'space', 'transform', 'uid', 'version']",
        "AbCdEfGhIjKl0000 2 Nice Nice c.py all main None",
        "None None None None",
    ]


def test_params_are_kept_without_secrets(lab: Lab) -> None:
    lab.write(
        "p.py",
        "import datetime, pathlib\n"
        "label = ln.ULabel(name='l').save()\n"
        "ln.track(params=dict(lr=0.1, name='a', token='hush', none=None, empty=[],\n"
        "    day=datetime.date(2026, 1, 2), path=pathlib.Path('x/y'),\n"
        "    label=label, labels=[label], f=print))\n"
        "print('UID', label.uid)\n"
        "api_key = 'hush-hush'\n"
        "ln.finish()",
    )
    told = lab.run("p.py", "--password=hush", "--foo", "1", "bar")
    uid = re.search(r"UID (\w+)", told)[1]  # type: ignore[index]
    assert (
        "→ params: lr=0.1, name='a', token='***REDACTED***', day='2026-01-02', path='x/y', "
        f"label='ULabel[{uid}]', labels=['ULabel[{uid}]']"
    ) in told
    assert "! skipping param f with value <built-in function print> and dtype ? not JSON serializable" in told
    assert "! redacted 2 secret-looking assignment(s) before persisting transform source code" in told
    invoked = "→ script invoked with: --password=***REDACTED*** --foo 1 bar"
    assert told.index(invoked) < told.index("created Transform")
    run = lab.ask("(lambda r: [r.params, r.cli_args, r.transform.description])(ln.Run.get())")
    assert run[0]["token"] == "***REDACTED***"
    assert list(run[0]) == ["lr", "name", "token", "day", "path", "label", "labels"]
    assert run[1:] == ["--password=***REDACTED*** --foo 1 bar", "CLI: p.py"]
    assert "hush" not in lab.ask("ln.Transform.get().source_code")


def test_the_report_holds_what_was_printed(lab: Lab) -> None:
    lab.write(
        "r.py",
        "import sys\nln.track()\nprint('10%\\r50%\\r100%')\nprint('loud', file=sys.stderr)\n"
        "print('open', end='')\n"
        "assert not sys.stdout.isatty()\nln.finish()\nprint('after')",
    )
    told = lab.run("r.py")
    uid = re.search(started("created", "r.py"), told)[2]  # type: ignore[index]
    report = lab.ask(
        "(lambda a: [a.key, a.description, a.suffix, a.kind, a.run_id, a.path.read_text()])"
        "(ln.Run.get().report)"
    )
    assert report[:5] == [None, f"log streams of run {uid}", ".txt", "__lamindb_run__", None]
    first, *rest = report[5].splitlines()
    assert first.startswith("\x1b[")
    assert COLOUR.sub("", first) == "→ connected lamindb: anonymous/storage"
    assert rest == ["100%", "loud", "open"]
    assert not list((lab.home).rglob("run_logs_*"))


def test_runs_share_an_equal_environment(lab: Lab) -> None:
    lab.write("e.py", "ln.track()\nln.finish()")
    lab.run("e.py")
    lab.run("e.py")
    found = lab.ask("[[e.id, e.description, e.kind] for e in (r.environment for r in ln.Run.filter())]")
    assert found == [found[0], found[0]]
    assert found[0][1:] == ["requirements.txt", "__lamindb_run__"]
    text = lab.ask("ln.Run.filter().first().environment.path.read_text()")
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True, env=lab.env()
    )
    assert sorted(text.lower().splitlines()) == sorted(pip.stdout.lower().splitlines())


def test_a_lock_file_of_uv_wins(lab: Lab, tmp_path: Path) -> None:
    made = tmp_path / "uv" / ".venv"
    made.mkdir(parents=True)
    (made / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9.1\n")
    (made.parent / "uv.lock").write_text("version = 1\n")
    lab.write("e.py", f"import sys\nsys.prefix = {str(made)!r}\nln.track()\nln.finish()")
    lab.run("e.py")
    found = lab.ask("(lambda a: [a.description, a.path.read_text()])(ln.Run.get().environment)")
    assert found == ["uv.lock", "version = 1\n"]


def test_an_exception_ends_the_run(lab: Lab) -> None:
    lab.write("x.py", "ln.track()\nprint('before')\nraise ValueError('no luck')")
    told = lab.run("x.py", fails=True)
    assert told.count("ValueError: no luck") == 1
    run = lab.ask(
        "(lambda r: [r.status, r.finished_at is not None, r.report.path.read_text(),"
        " r.transform.source_code])(ln.Run.get())"
    )
    assert run[:2] == ["errored", True]
    assert run[2].count("Traceback (most recent call last)") == 1
    assert run[2].endswith("ValueError: no luck\n")
    assert "before" in run[2]
    assert "raise ValueError" in run[3]


def test_what_a_script_catches_does_not_end_the_run(lab: Lab) -> None:
    caught = "try:\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt:\n    pass"
    lab.write("k.py", f"ln.track()\n{caught}\nln.finish()")
    lab.run("k.py")
    assert lab.ask("ln.Run.get().status") == "completed"
    lab.write("l.py", "ln.track()\nln.finish()\nraise ValueError('later')")
    lab.run("l.py", fails=True)
    assert lab.ask("ln.Run.get(transform__key='l.py').status") == "completed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_aborts_the_run(lab: Lab, number: signal.Signals) -> None:
    lab.write("t.py", "import time\nln.track()\nprint('ready', flush=True)\ntime.sleep(60)\nln.finish()")
    process = lab.start("t.py")
    assert process.stdout is not None
    while "ready" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.3)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == -number
    run = lab.ask(
        "(lambda r: [r.status, r.finished_at is not None, r.report.path.read_text()])(ln.Run.get())"
    )
    assert run[:2] == ["aborted", True]
    assert f"Process terminated by signal {int(number)} ({number.name})" in run[2]
    assert "time.sleep(60)" in run[2]


def test_a_handler_of_the_script_is_called_and_restored(lab: Lab) -> None:
    lab.write(
        "h.py",
        "import os, signal, sys\n"
        "def handler(number, frame): print('mine'); sys.exit(7)\n"
        "hook = sys.excepthook\n"
        "signal.signal(signal.SIGTERM, handler)\n"
        "ln.track()\n"
        "ln.finish()\n"
        "assert signal.getsignal(signal.SIGTERM) is handler and sys.excepthook is hook\n"
        "assert sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__\n"
        "ln.track()\n"
        "os.kill(os.getpid(), signal.SIGTERM)",
    )
    assert "mine" in lab.run("h.py", fails=True)
    assert lab.ask("[r.status for r in ln.Run.filter()]") == ["completed", "aborted"]


def test_a_child_process_does_not_end_the_run(lab: Lab) -> None:
    lab.write(
        "f.py",
        "import os, sys\nln.track()\npid = os.fork()\nif pid == 0:\n    raise ValueError('child')\n"
        "os.waitpid(pid, 0)\nprint('parent goes on')\nln.finish()",
    )
    lab.run("f.py")
    run = lab.ask("[[r.status, 'parent goes on' in r.report.path.read_text()] for r in ln.Run.filter()]")
    assert run == [["completed", True]]


def test_finish_needs_track(lab: Lab) -> None:
    lab.write("n.py", "ln.finish()")
    assert "TrackNotCalled: Please run `ln.track()` before `ln.finish()`" in lab.run("n.py", fails=True)


def test_an_interactive_session_says_what_to_pass(lab: Lab) -> None:
    process = lab.start("-c", "import holotype as ln; ln.track()")
    _, err = process.communicate(timeout=60)
    assert "InvalidArgument: There is no file to track" in err
    assert "ln.track(path='...')" in err
    lab.write("given.py", "")
    lab.python("import holotype as ln; ln.track(path='given.py'); ln.finish()")
    assert lab.ask("ln.Run.get().transform.key") == "given.py"


def test_names_must_exist(lab: Lab) -> None:
    lab.write(
        "names.py",
        "for name in ('project', 'space', 'branch', 'plan', 'initiated_by_run'):\n"
        "    try: ln.track(**{name: 'nope'})\n"
        "    except ln.errors.InvalidArgument as e: print(e)\n"
        "try: ln.track(project=ln.Project(name='new'))\n"
        "except ln.errors.InvalidArgument as e: print(e)",
    )
    told = [line for line in lab.run("names.py").splitlines() if "nope" in line or "not saved" in line]
    hub = "please check on the hub UI whether you have the correct `uid` or `name`."
    assert told[:5] == [
        "Project 'nope' not found, either create it with `ln.Project(name='...').save()` or fix typos.",
        f"Space 'nope', {hub}",
        f"Branch 'nope', {hub}",
        "Plan artifact 'nope' not found, either create it or use a valid key/uid.",
        "Run 'nope' not found, please pass a valid run uid.",
    ]
    assert "is not saved" in told[5]
    assert lab.ask("ln.Run.filter().count()") == 0


def test_a_project_is_linked_and_taken_from_the_environment(lab: Lab) -> None:
    lab.python("import holotype as ln; ln.Project(name='Mice').save()")
    lab.write("m.py", "ln.track()\nprint(ln.context.project.name)\nln.finish()")
    assert "Mice" in lab.run("m.py", LAMIN_CURRENT_PROJECT="Mice").splitlines()
    lab.write("m2.py", "ln.track(project='Mice')\nln.finish()")
    assert 'project="Mice"' in lab.run("m2.py")
    assert lab.ask("[p.name for r in ln.Run.filter() for p in r.projects.all()]") == ["Mice", "Mice"]


def test_inputs_outputs_and_recreated_artifacts(lab: Lab) -> None:
    (lab.folder / "in.txt").write_text("in")
    lab.write(
        "make.py",
        "ln.track()\na = ln.Artifact('in.txt', key='in.txt').save()\na.cache()\n"
        "ln.Collection([a], key='c').save()\nln.finish()",
    )
    lab.run("make.py")
    lab.write(
        "use.py",
        "ln.track()\nln.Artifact.get(key='in.txt').load()\nopen('out.txt', 'w').write('out')\n"
        "ln.Artifact('out.txt', key='out.txt').save()\nln.Collection.get(key='c').cache()\nln.finish()",
    )
    lab.run("use.py")
    lab.write(
        "again.py",
        "ln.track()\nln.Artifact('in.txt', key='in.txt').save()\n"
        "ln.Artifact.get(key='out.txt').cache(is_run_input=False)\nln.finish()",
    )
    assert "to track this artifact as an input, use: ln.Artifact.get()" in lab.run("again.py")
    links = lab.ask(
        "[[r.transform.key, *([a.key for a in getattr(r, n).all()] for n in "
        "('input_artifacts', 'output_artifacts', 'recreated_artifacts', 'input_collections'))]"
        " for r in ln.Run.filter()]"
    )
    assert links == [
        ["make.py", [], ["in.txt"], [], []],
        ["use.py", ["in.txt"], ["out.txt"], [], ["c"]],
        ["again.py", [], [], ["in.txt"], []],
    ]


def test_inputs_without_a_run_are_mentioned_and_can_be_switched_off(lab: Lab) -> None:
    (lab.folder / "in.txt").write_text("in")
    lab.write(
        "w.py",
        "a = ln.Artifact('in.txt', key='in.txt').save()\nprint('---')\na.cache()\n"
        "ln.settings.track_run_inputs = False\na.cache()\n"
        "ln.track()\na.cache()\nrun = ln.context.run\nln.finish()\na.cache(is_run_input=run)\n"
        "print([x.key for x in run.input_artifacts.all()])",
    )
    told = lab.run("w.py")
    assert "! no run & transform got linked, call `ln.track()` & re-run" in told
    assert told.partition("---")[2].count("! run input wasn't tracked, call `ln.track()` and re-run") == 1
    assert told.splitlines()[-1] == "['in.txt']"


def _without_override() -> None:
    """Takes from root the right to write where the mode forbids it."""
    if os.geteuid() == 0:
        bounding_set_drop, override = 24, 1
        ctypes.CDLL(None).prctl(bounding_set_drop, override, 0, 0, 0)


def test_a_read_only_connection_is_not_tracked(lab: Lab) -> None:
    lab.write("ro.py", "ln.track()\nln.finish()\nprint(ln.context.run)\nprint(ln.Run.filter().count())")
    database = lab.folder.parent / "storage" / ".lamindb" / "lamin.db"
    assert database.is_file()
    database.chmod(0o444)
    process = lab.start("ro.py", preexec_fn=_without_override)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "! skipping track(), connected in read-only mode" in out
    assert out.splitlines()[-2:] == ["None", "0"]


def test_a_pipeline_has_neither_log_nor_environment(lab: Lab) -> None:
    lab.write(
        "p.py",
        "t = ln.Transform(key='my/pipeline', kind='pipeline').save()\n"
        "ln.track(t)\nln.finish()\nln.track(t, new_run=False)\nln.finish()",
    )
    told = lab.run("p.py")
    assert "started new Run" in told
    assert "re-started Run" in told
    runs = lab.ask("[[r.transform.kind, r.status, r.report_id, r.environment_id] for r in ln.Run.filter()]")
    assert runs == [["pipeline", "completed", None, None]]


def test_transforms_and_runs_by_hand(lab: Lab) -> None:
    lab.write(
        "hand.py",
        "t = ln.Transform(key='a/b', source_code='x = 1', version='1').save()\n"
        "same = ln.Transform(key='a/b', source_code='x = 1')\n"
        "new = ln.Transform(key='a/b', source_code='x = 2', revises=t).save()\n"
        "print('SAME', same == t, t.kind, t.uid[12:], new.uid[12:], new.stem_uid == t.stem_uid)\n"
        "a = ln.Run(t, name='first', params={'token': 'x'})\n"
        "b = ln.Run(transform=new, status='started', initiated_by_run=a.save()).save()\n"
        "print('RUNS', a.status, a.params, b.status, b.initiated_by_run == a, new.latest_run == b)\n"
        "def refused(call):\n"
        "    try: call()\n"
        "    except Exception as e: print('NO', type(e).__name__, e)\n"
        "refused(lambda: ln.Transform(kind='script'))\n"
        "refused(lambda: ln.Transform(key='k', kind='dance'))\n"
        "refused(lambda: ln.Run())\n"
        "refused(lambda: ln.Run(ln.Transform(key='new')))\n"
        "refused(lambda: ln.Run(t, status='done'))\n"
        "refused(lambda: ln.track(ln.Transform(key='s', kind='script').save()))",
    )
    told = [line for line in lab.run("hand.py").splitlines() if line.startswith(("SAME", "RUNS", "NO"))]
    assert told == [
        "SAME True pipeline 0000 0001 True",
        "RUNS scheduled {'token': '***REDACTED***'} started True True",
        "NO FieldValidationError ['key'] are required.",
        "NO FieldValidationError kind: dance is not a valid value",
        "NO TypeError Pass transform parameter",
        "NO ValueError Please save transform record before creating a run",
        "NO ValueError status must be 'scheduled' or 'started', but you passed: 'done'.",
        "NO ValueError Use `ln.track()` without passing transform in a notebook or script - metadata is "
        "automatically parsed",
    ]


def test_an_installed_module_has_a_key_of_its_own(lab: Lab) -> None:
    for name in ("tool/__init__.py", "tool/step.py"):
        lab.write(f"site-packages/{name}", "def main():\n    ln.track()\n    ln.finish()")
    lab.write(
        "main.py",
        "import sys\nsys.path.insert(0, 'site-packages')\nimport tool, tool.step\n"
        "tool.main()\ntool.step.main()",
    )
    lab.run("main.py", "1")
    keys = lab.ask("sorted(t.key for t in ln.Transform.filter())")
    assert keys == ["pypackages/tool/__init__.py", "pypackages/tool/step.py"]


def test_a_child_run_knows_its_parent(lab: Lab) -> None:
    lab.write(
        "parent.py",
        "import subprocess, sys, os\nln.track()\n"
        "env = {**os.environ, 'LAMIN_INITIATED_BY_RUN_UID': ln.context.run.uid}\n"
        "subprocess.run([sys.executable, 'child.py'], env=env, check=True)\nln.finish()",
    )
    lab.write("child.py", "ln.track()\nln.finish()")
    lab.run("parent.py")
    child = lab.ask("ln.Run.get(transform__key='child.py').initiated_by_run.transform.key")
    assert child == "parent.py"


def test_connecting_elsewhere_is_refused_while_tracking(lab: Lab) -> None:
    lab.python("import holotype as ln; ln.setup.init(storage='../other')")
    lab.write("sw.py", "ln.track()\nln.connect('storage')")
    assert "Cannot switch default instance while `ln.track()` is live: call `ln.finish()`" in lab.run(
        "sw.py", fails=True
    )


def test_tracking_costs_little(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.write(
        "fast.py",
        "import time\nt = time.perf_counter()\nln.track()\nu = time.perf_counter()\nln.finish()\n"
        "print('TIMES', u - t, time.perf_counter() - u)",
    )
    lab.run("fast.py")
    begun = time.perf_counter()
    track, finish = map(float, re.search(r"TIMES (\S+) (\S+)", lab.run("fast.py")).groups())  # type: ignore[union-attr]
    whole = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\ntrack {track * 1e3:.0f} ms, finish {finish * 1e3:.0f} ms, process {whole * 1e3:.0f} ms")
    assert track + finish < 5


ENDINGS = [
    ("pass", 0, "completed"),
    ("sys.exit(0)", 0, "completed"),
    ("exit()", 0, "completed"),
    ("sys.exit(3)", 3, "errored"),
    ("exit(3)", 3, "errored"),
    ("sys.exit('wrong')", 1, "errored"),
    ("import argparse; argparse.ArgumentParser().parse_args(['--none'])", 2, "errored"),
    ("raise SystemExit(3)", 3, "aborted"),
    ("os._exit(3)", 3, "aborted"),
    ("os.kill(os.getpid(), 1); time.sleep(9)", -1, "aborted"),
    ("ctypes.string_at(0)", -11, "aborted"),
    ("ln.track(); ln.finish()", 0, "completed"),
]


@pytest.mark.parametrize(("code", "status", "outcome"), ENDINGS)
def test_no_run_of_a_script_stays_open(lab: Lab, code: str, status: int, outcome: str) -> None:
    lab.write("end.py", f"import ctypes, os, sys, time\nln.track()\n{code}")
    process = lab.start("end.py")
    process.communicate(timeout=60)
    assert process.returncode == status
    # What the next start finds, if anything was left.
    lab.write("next.py", "ln.track()\nln.finish()")
    lab.run("next.py")
    found = lab.ask("[[r.status, r.finished_at is not None, r.report is not None] for r in ln.Run.filter()]")
    assert found[0] == [outcome, True, True]
    assert all(row[0] == "completed" for row in found[1:])
