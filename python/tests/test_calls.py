"""`@ln.flow()` and `@ln.step()`: every call is a run, whatever the function is and however it ends."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import holotype as ln
from test_track import Lab


def artifact(key: str) -> Any:
    Path(key).write_text(key)
    return ln.Artifact(key, key=key).save()


@pytest.fixture
def flowing(instance: Path) -> Any:
    """A function that calls another one as a flow; an instance is connected."""
    return ln.flow()(lambda call: call())


def test_a_flow_is_a_run_during_its_call(instance: Path) -> None:
    seen = []

    @ln.flow()
    def main(a: int, b: str = "x") -> str:
        seen.append((ln.context.run, artifact("a.txt")))
        return f"{a}{b}"

    assert main(1) == "1x"
    run, made = seen[0]
    assert made.run == run
    assert ln.context.run is None
    assert run.params == {"a": 1, "b": "x"}
    assert run.entrypoint.endswith("main")
    assert run.status == "completed"
    assert run.finished_at is not None
    assert run.transform.kind == "script"
    assert run.transform.key == "test_calls.py"
    assert ln.Run.get(run.uid).status == "completed"
    assert run.report is not None
    assert run.environment is not None


def test_a_step_needs_a_run_and_is_started_by_it(instance: Path) -> None:
    @ln.step()
    def count(path: str) -> Any:
        return ln.context.run, artifact(path)

    with pytest.raises(RuntimeError, match=r"before using @ln.step\(\)"):
        count("a.txt")

    @ln.flow()
    def main() -> Any:
        before = ln.context.run
        run, made = count("a.txt")
        assert ln.context.run == before
        return before, run, made, artifact("b.txt")

    outer, inner, made, other = main()
    assert inner.initiated_by_run == outer
    assert made.run == inner
    assert other.run == outer
    assert inner.report is None
    assert inner.environment is None
    assert inner.transform == outer.transform


def test_inputs_belong_to_the_call_that_reads(instance: Path) -> None:
    raw = artifact("raw.txt")

    @ln.step()
    def read() -> Any:
        raw.cache()
        return ln.context.run

    @ln.flow()
    def main() -> Any:
        return ln.context.run, read()

    outer, inner = main()
    assert list(inner.input_artifacts.all()) == [raw]
    assert not outer.input_artifacts.exists()


def test_errors_end_the_run_and_go_on(instance: Path) -> None:
    seen: dict[str, Any] = {}

    @ln.step()
    def breaks() -> None:
        seen["step"] = ln.context.run
        raise ValueError("no")

    @ln.flow()
    def main() -> None:
        seen["flow"] = ln.context.run
        breaks()

    with pytest.raises(ValueError, match="no"):
        main()
    assert [seen[name].status for name in ("step", "flow")] == ["errored", "errored"]
    assert "ValueError: no" in seen["flow"].report.cache().read_text()
    assert ln.context.run is None

    @ln.flow()
    def stopped() -> None:
        seen["stopped"] = ln.context.run
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert seen["stopped"].status == "aborted"

    @ln.flow()
    def leaves() -> None:
        seen["leaves"] = ln.context.run
        raise SystemExit(0)

    with pytest.raises(SystemExit):
        leaves()
    assert seen["leaves"].status == "completed"
    # The one that failed does not touch those that ended before it.
    assert ln.Run.get(seen["flow"].uid).status == "errored"


def test_flows_do_not_nest_but_steps_do(flowing: Any) -> None:
    with pytest.raises(RuntimeError, match="clear the global run context"):
        flowing(lambda: flowing(lambda: None))

    @ln.step()
    def down(n: int) -> list[Any]:
        return [ln.context.run, *(down(n - 1) if n else [])]

    runs = flowing(lambda: down(2))
    assert len({run.uid for run in runs}) == 3
    assert [run.initiated_by_run for run in runs[1:]] == runs[:2]


def test_memorize_keeps_the_run(instance: Path) -> None:
    @ln.flow(global_run="memorize")
    def main() -> Any:
        return ln.context.run

    run = main()
    assert ln.context.run == run
    assert artifact("later.txt").run == run
    with pytest.raises(RuntimeError):
        main()
    with pytest.raises(ValueError, match="global_run"):
        ln.flow(global_run="sometimes")  # type: ignore[arg-type]


def test_generators_are_runs_from_first_to_last_value(flowing: Any) -> None:
    seen = []

    @ln.step()
    def numbers(n: int) -> Any:
        seen.append(ln.context.run)
        got = 0
        for i in range(n):
            got = (yield i) or got
        return got

    def work() -> None:
        outer = ln.context.run
        generator = numbers(3)
        assert next(generator) == 0
        assert ln.context.run == outer
        assert generator.send(7) == 1
        assert next(generator) == 2
        with pytest.raises(StopIteration) as end:
            next(generator)
        assert end.value.value == 7
        early = numbers(3)
        next(early)
        early.close()
        broken = numbers(3)
        next(broken)
        with pytest.raises(KeyError):
            broken.throw(KeyError("x"))

    flowing(work)
    assert [run.status for run in map(ln.Run.get, (run.uid for run in seen))] == [
        "completed",
        "completed",
        "errored",
    ]


def test_async_functions_run_side_by_side(instance: Path) -> None:
    @ln.step()
    async def fetch(name: str) -> Any:
        await asyncio.sleep(0.01)
        made = artifact(f"{name}.txt")
        await asyncio.sleep(0.01)
        return ln.context.run, made

    @ln.step()
    async def stream() -> Any:
        for i in range(2):
            yield i, ln.context.run

    @ln.flow()
    async def main() -> Any:
        found = await asyncio.gather(*(fetch(name) for name in "abc"))
        return ln.context.run, found, [pair async for pair in stream()]

    outer, found, streamed = asyncio.run(main())
    assert len({run.uid for run, _ in found}) == 3
    for run, made in found:
        assert made.run == run
        assert run.initiated_by_run == outer
        assert ln.Run.get(run.uid).status == "completed"
    assert len({run.uid for _, run in streamed}) == 1
    assert streamed[0][1] != outer
    assert outer.status == "completed"


def test_threads_have_calls_of_their_own(instance: Path) -> None:
    meet = threading.Barrier(4)

    @ln.step()
    def work(i: int) -> Any:
        meet.wait(timeout=30)
        made = artifact(f"{i}.txt")
        meet.wait(timeout=30)
        return ln.context.run, made

    @ln.flow()
    def main() -> Any:
        with ThreadPoolExecutor(4) as pool:
            return ln.context.run, list(pool.map(work, range(4)))

    outer, found = main()
    assert len({run.uid for run, _ in found}) == 4
    assert all(made.run == run and run.initiated_by_run == outer for run, made in found)
    assert {tuple(run.params.items()) for run, _ in found} == {(("i", i),) for i in range(4)}


def test_arguments_that_do_not_fit_are_not_kept(flowing: Any, capsys: Any) -> None:
    @ln.step()
    def work(x: int, y: float = 1, *rest: str, token: str = "t", **more: Any) -> Any:
        return ln.context.run

    run = flowing(lambda: work("wrong", 2, "r", n=None, label=ln.ULabel(name="l").save()))
    assert "value 'wrong' does not match annotation <class 'int'> (expected int)" in capsys.readouterr().out
    label = ln.ULabel.get(name="l")
    assert run.params == {"y": 2, "rest": ["r"], "token": "***REDACTED***", "label": f"ULabel[{label.uid}]"}


def test_a_method_leaves_itself_out(flowing: Any) -> None:
    class Model:
        @ln.step
        def fit(self, rate: float) -> Any:
            """Fits."""
            return ln.context.run

    run = flowing(lambda: Model().fit(rate=0.5))
    assert run.params == {"rate": 0.5}
    assert run.entrypoint.endswith("Model.fit")
    assert Model.fit.__doc__ == "Fits."
    assert Model.fit.__name__ == "fit"


def test_a_flow_takes_what_its_run_belongs_to(instance: Path) -> None:
    ln.Project(name="atlas").save()

    @ln.flow()
    def main(project: str, n: int = 1) -> Any:
        return ln.context.run

    run = main("atlas")
    assert [project.name for project in run.projects.all()] == ["atlas"]
    with pytest.raises(ln.errors.InvalidArgument, match="nope"):
        main("nope")


PROCESSES = """
from concurrent.futures import ProcessPoolExecutor
import multiprocessing, sys

@ln.step()
def work(i):
    from pathlib import Path
    Path(f"{i}.txt").write_text(str(i))
    ln.Artifact(f"{i}.txt", key=f"{i}.txt").save()
    return ln.context.run.uid

@ln.flow()
def main(method):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        print("runs", ln.context.run.uid, *pool.map(work, range(3)))

if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_steps_run_in_other_processes(lab: Lab, method: str) -> None:
    lab.write("main.py", PROCESSES)
    line = next(line for line in lab.run("main.py", method).splitlines() if line.startswith("runs "))
    outer, *inner = line.split()[1:]
    assert len(set(inner)) == 3
    found = lab.ask(
        "[[r.uid, r.initiated_by_run and r.initiated_by_run.uid, r.status] for r in ln.Run.filter()]"
    )
    assert sorted(found) == sorted(
        [[outer, None, "completed"], *([uid, outer, "completed"] for uid in inner)]
    )
    made = lab.ask("[[a.key, a.run.uid] for a in ln.Artifact.filter(key__endswith='.txt').order_by('key')]")
    assert made == [[f"{i}.txt", uid] for i, uid in enumerate(inner)]
    assert lab.ask("[t.key for t in ln.Transform.filter()]") == ["main.py"]


KILLED = """
import os, signal, sys

@ln.step()
def work():
    print("working hard", flush=True)
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    import time
    time.sleep(30)

@ln.flow()
def main():
    work()

main()
"""


def test_a_killed_flow_is_found_at_the_next_start(lab: Lab) -> None:
    lab.write("killed.py", KILLED)
    lab.run("killed.py", "SIGKILL", fails=True)
    statuses = "[[r.entrypoint, r.status] for r in ln.Run.filter().order_by('id')]"
    assert lab.ask(statuses) == [["main", "started"], ["work", "started"]]
    lab.write("next.py", "ln.track()\nln.finish()")
    assert "was killed: it is marked as aborted now" in lab.run("next.py")
    assert lab.ask(statuses) == [["main", "aborted"], ["work", "aborted"], [None, "completed"]]
    told = lab.ask("[[r.finished_at >= r.started_at, r.report and r.report.cache().read_text()] "
                   "for r in ln.Run.filter(entrypoint='main')]")  # fmt: skip
    assert told[0][0]
    assert "working hard" in told[0][1]
    assert "was killed" not in lab.run("next.py")


def test_a_terminated_flow_is_aborted_at_once(lab: Lab) -> None:
    lab.write("killed.py", KILLED)
    lab.run("killed.py", "SIGTERM", fails=True)
    found = lab.ask("[[r.entrypoint, r.status, bool(r.finished_at)] for r in ln.Run.filter().order_by('id')]")
    assert found == [["main", "aborted", True], ["work", "aborted", True]]


def test_a_killed_script_is_found_and_a_live_one_left_alone(lab: Lab) -> None:
    lab.write("long.py", "ln.track()\nprint('alive', flush=True)\nimport time\ntime.sleep(60)")
    lab.write("next.py", "ln.track()\nln.finish()")
    process = lab.start("long.py")
    assert process.stdout is not None
    while "alive" not in process.stdout.readline():
        assert process.poll() is None
    statuses = "[r.status for r in ln.Run.filter(transform__key='long.py')]"
    lab.run("next.py")
    assert lab.ask(statuses) == ["started"]
    process.kill()
    process.communicate()
    lab.run("next.py")
    assert lab.ask(statuses) == ["aborted"]
