"""Calls of tracked functions, done again: the file is imported, and the function gets what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from test_rerun import again, verdicts
from test_surroundings import LAST
from test_track import Lab

FLOW = """\
from datetime import date
from pathlib import Path
from shared.steps import count

@ln.flow()
def main(
    raw: ln.Artifact | str, folder: Path, day: date, *more: int, sep=None, tags: set[str] = None,
    beside: list[Path] | None = None, **rest
):
    lines = raw.cache().read_text().split(sep)
    assert folder.is_dir() and isinstance(tags, set), tags
    assert [path.is_file() for path in beside] == [True]
    text = f"{day:%d.%m.%Y} {sum(more)} {sorted(tags)} {rest} {len(lines)}"
    (folder / "report.txt").write_text(text)
    ln.Artifact(folder / "report.txt", key="report.txt").save()
    count(text)

if __name__ == "__main__":
    raw = ln.Artifact.get(key="raw.txt")
    main(raw, Path("data").absolute(), date(2026, 11, 22), 1, 2, tags={"a", "b"}, unit="mm",
         beside=[Path("data/readme")])
"""
STEPS = """\
import holotype as ln
from .words import split

@ln.step()
def count(text, least: int = 2):
    with open("counts.txt", "w") as file:
        file.write(str(len([word for word in split(text) if len(word) >= least])))
    ln.Artifact("counts.txt", key="counts.txt").save()
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def project(lab: Lab) -> None:
    """Makes a script that calls a flow, which calls a step of a package beside it, and runs it."""
    (lab.folder / "raw.txt").write_text("a b c")
    lab.python("import holotype as ln; ln.Artifact('raw.txt', key='raw.txt').save()")
    (lab.folder / "data").mkdir()
    (lab.folder / "data/readme").write_text("kept")
    package = lab.folder / "shared"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "words.py").write_text("def split(text): return text.split()\n")
    (package / "steps.py").write_text(STEPS)
    lab.write("flow.py", FLOW)
    lab.run("flow.py")


def run_of(lab: Lab, entrypoint: str) -> str:
    uid: str = lab.ask(f"ln.Run.filter(entrypoint={entrypoint!r}).order_by('id').first().uid")
    return uid


def refused(lab: Lab, run: str) -> str:
    return lab.python(f"import holotype as ln\ntry: {run}.rerun()\nexcept ValueError as error: print(error)")


def test_a_flow_is_called_again_with_what_it_was_given(lab: Lab) -> None:
    project(lab)
    uid = run_of(lab, "main")
    lab.write("flow.py", "raise SystemError")
    for made in ("data/report.txt", "counts.txt"):
        (lab.folder / made).unlink()
    judged = again(lab, uid)
    assert (judged["same"], verdicts(judged)) == (True, {"report.txt": "same"})
    assert (judged["differences"], judged["warnings"]) == ([], [])
    found = lab.ask(
        f"(lambda r: [r.uid, r.status, r.entrypoint, r.transform.uid, r.params, r.environment_id,"
        f" [a.key for a in r.input_artifacts.all()], [s.entrypoint for s in r.initiated_runs.all()]])"
        f"(ln.Run.get({judged['new_run']!r}))"
    )
    first = lab.ask(f"(lambda r: [r.transform.uid, r.params, r.environment_id])(ln.Run.get({uid!r}))")
    assert found[:4] == [judged["new_run"], "completed", "main", first[0]]
    assert found[4] | {"folder": ""} == first[1] | {"folder": ""}
    assert found[4]["folder"].endswith("/data")
    assert str(lab.folder) not in found[4]["folder"]
    assert found[5:] == [first[2], ["raw.txt"], ["count"]]
    assert not (lab.folder / "data/report.txt").exists()
    assert lab.ask("ln.Transform.filter().count()") == 2


def test_a_step_of_another_file_is_called_again_by_itself(lab: Lab) -> None:
    project(lab)
    uid = run_of(lab, "count")
    (lab.folder / "counts.txt").unlink()
    (lab.folder / "shared/steps.py").write_text("raise SystemError")
    judged = again(lab, uid)
    assert (judged["same"], verdicts(judged)) == (True, {"counts.txt": "same"})
    found = lab.ask(
        f"(lambda r: [r.entrypoint, r.initiated_by_run_id, r.params['least'], r.transform.key])"
        f"(ln.Run.get({judged['new_run']!r}))"
    )
    assert found == ["count", None, 2, "shared/steps.py"]
    assert not (lab.folder / "counts.txt").exists()
    # No run called it: it knows itself how it was started.
    assert lab.ask(f"ln.Run.get({judged['new_run']!r}).surroundings()['origin']['file']").endswith("steps.py")


@pytest.mark.parametrize(
    ("function", "call"),
    [
        ("async def main(n):\n    {}", "import asyncio; asyncio.run(main(3))"),
        ("def main(n):\n    yield 1\n    {}\n    yield 2", "list(main(3))"),
        ("class Lab:\n    @staticmethod\n    @ln.flow()\n    def main(n):\n        {}", "Lab.main(3)"),
        ("def main(n):\n    {}", "main(2)\n    main(3)"),
    ],
    ids=["async", "generator", "static", "one of two"],
)
def test_every_sort_of_function_is_called_again(lab: Lab, function: str, call: str) -> None:
    body = "ln.Artifact.from_dataframe(pd.DataFrame({'n': [n]}), key='n.parquet').save()"
    flow = "" if function.startswith("class") else "@ln.flow()\n"
    guarded = f"if __name__ == '__main__':\n    {call}"
    lab.write("f.py", f"import pandas as pd\n{flow}{function.format(body)}\n{guarded}")
    lab.run("f.py")
    judged = again(lab, lab.ask(f"{LAST}.uid"))
    assert (judged["same"], verdicts(judged)) == (True, {"n.parquet": "same"})


def test_a_file_without_a_guard_makes_one_new_run(lab: Lab) -> None:
    lab.write("f.py", "@ln.flow()\ndef main(n): print(n)\nmain(3)")
    lab.run("f.py")
    judged = again(lab, lab.ask(f"{LAST}.uid"))
    assert judged["same"]
    assert lab.ask("[[r.entrypoint, r.params] for r in ln.Run.filter()]") == [["main", {"n": 3}]] * 2


def test_a_step_of_a_script_without_a_guard_takes_the_script_along(lab: Lab) -> None:
    lab.write("s.py", "ln.track()\n@ln.step()\ndef one(n): print(n)\none(3)\none(4)\nln.finish()")
    lab.run("s.py")
    judged = again(lab, lab.ask(f"{LAST}.uid"))
    assert judged["same"]
    runs = lab.ask("[[r.uid, r.entrypoint, r.params, r.cli_args] for r in ln.Run.filter().order_by('id')]")
    calls = [["one", {"n": 3}, None], ["one", {"n": 4}, None]]
    assert [run[1:] for run in runs] == [[None, None, None], *calls] * 2
    assert runs[-1][0] == judged["new_run"]
    assert lab.ask("[[t.key, t.description] for t in ln.Transform.filter()]") == [["s.py", None]]


def test_what_was_not_kept_is_named(lab: Lab) -> None:
    code = """\
class Reader:
    @ln.step()
    def read(self): pass

@ln.step()
def table(frame, token=None): pass

@ln.flow()
def main():
    @ln.step()
    def inner(): pass
    inner()
    table(object())
    table(None, token="hunter2")
    table(None)
    Reader().read()
main()
"""
    lab.write("f.py", code)
    lab.run("f.py")
    main = run_of(lab, "main")
    runs: dict[str, Any] = lab.ask("{r.id: r.entrypoint for r in ln.Run.filter()}")
    ids = [int(key) for key, name in runs.items() if name != "main"]
    told = [refused(lab, f"ln.Run.get(id={key})") for key in ids[:3]]
    assert "which has no name in its file" in told[0]
    assert "whose argument 'frame' had no form that could be kept" in told[1]
    assert "whose argument 'token' held a secret that was not kept" in told[2]
    assert all(f"do Run('{main}') again, which called it" in text for text in told)
    # Nothing was given: nothing is missing.
    assert again(lab, lab.ask(f"ln.Run.get(id={ids[3]}).uid"))["same"]
    judged = again(lab, lab.ask(f"ln.Run.get(id={ids[4]}).uid"), code=1)
    assert judged["exit_code"] == 1
