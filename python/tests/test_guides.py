"""Every guide runs: notebooks in a real Jupyter kernel, texts block by block in a shell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from notebooks import environment, running

FOLDER = Path(__file__).parents[2] / "docs" / "guides"
GUIDES = sorted(FOLDER.glob("*.ipynb"))
TEXTS = sorted(FOLDER.glob("*.md"))


def test_there_are_guides() -> None:
    assert GUIDES
    assert TEXTS


def _blocks(guide: Path) -> list[tuple[str, str | None]]:
    """Returns each block of shell and what it prints, if the guide says so."""
    found = re.findall(
        r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", guide.read_text(), re.MULTILINE | re.DOTALL
    )
    return [(code, printed or None) for code, printed in found]


def _is_like(text: str, like: str) -> bool:
    """Returns true when a text is the other one, in which `…` stands for anything on one line."""
    pattern = r"\n".join(".*".join(map(re.escape, line.split("…"))) for line in like.rstrip().splitlines())
    return re.fullmatch(pattern, text.rstrip()) is not None


@pytest.mark.parametrize("guide", TEXTS, ids=lambda path: path.stem)
def test_texts_show_what_they_say(guide: Path, tmp_path: Path) -> None:
    blocks = _blocks(guide)
    assert len(blocks) >= 5
    assert sum(printed is not None for _, printed in blocks) >= 5
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    for code, printed in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"exec 2>&1\n{code}"],
            cwd=work,
            env=environment(home, work / guide.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}"
        assert printed is None or _is_like(done.stdout, printed), (
            f"{code}\nprints\n{done.stdout}\nnot\n{printed}"
        )


def test_three_dots_stand_for_anything_on_a_line() -> None:
    assert _is_like("a 12 s, b\n", "a … s, …\n")
    assert _is_like("x\n", "…x…")
    for text, like in [("a 12 m\n", "a … s\n"), ("a\nb\n", "a…\n"), ("ab", "a"), ("a.b", "a+b")]:
        assert not _is_like(text, like)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guides_are_stored_without_outputs(guide: Path) -> None:
    notebook = nbformat.read(guide, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guides_run(guide: Path, tmp_path: Path) -> None:
    with running(guide, tmp_path) as notebook:
        assert notebook.ask("ln.context.run is None"), "the guide ends with ln.finish()"
        assert notebook.ask("ln.Artifact.filter().count()") > 0


def test_the_guide_to_keys_shows_what_it_says(tmp_path: Path) -> None:
    with running(GUIDES[0].with_name("keys.ipynb"), tmp_path) as guide:
        key, path = guide.printed("virtual").splitlines()[-2:]
        assert key == "screen/plate1.csv"
        assert re.search(r"/atlas/\.lamindb/\w{20}\.csv$", path)
        assert guide.ask(f"sorted({guide.out('find')}['key'])") == ["screen/plate1.csv", "screen/plate2.csv"]
        assert guide.printed("rename").splitlines() == ["screen/second/plate2.csv", "True"]
        assert "no setter" in guide.printed("path")
        uids = re.findall(r"^(\w{20}) (\d) rows$", guide.printed("versions"), re.MULTILINE)
        assert [(uid[16:], rows) for uid, rows in uids] == [("0000", "2"), ("0001", "3")]
        assert guide.printed("equal").splitlines()[-1] == "True screen/plate1.csv"
        refusal, kept = guide.printed("clash").splitlines()[-2:]
        assert "screen/plate1.csv" in refusal
        assert kept == "screen/second/plate2.csv"
        assert guide.printed("real").splitlines()[-1] == "shared/layout.csv"
        assert ".." in guide.printed("escape")
        assert guide.printed("inplace").splitlines()[-1] == "legacy/plate0.csv True"
        assert guide.printed("folder").splitlines()[-1] == "4 files, 96 bytes"
        assert guide.ask(f"len({guide.out('from-dir')})") == 4
        assert guide.ask(f"sorted({guide.out('labels')}['key'])") == ["screen/images", "screen/plate1.csv"]
        assert guide.ask(f"len({guide.out('collection')})") == 5
        assert guide.shown("describe").startswith("Artifact: screen/plate1.csv (0001)")


def test_the_guide_to_local_artifacts_shows_what_it_says(tmp_path: Path) -> None:
    with running(GUIDES[0].with_name("keep-artifacts-local.ipynb"), tmp_path) as guide:
        assert guide.ask(f"list({guide.out('location')}['region'])") == ["sequencer-1", None]
        assert "/drive', uid=" in guide.shown("mode")
        assert re.fullmatch(r"PosixPath\('drive/\.lamindb/\w{20}\.csv'\)", guide.shown("save"))
        assert guide.printed("existing").splitlines()[0] == "run17/reads.bam drive/run17/reads.bam"
        roots = guide.ask(f"[root.rsplit('/')[-1] for root in {guide.out('second')}['storage__root']]")
        assert roots == ["drive2", "drive", "drive"]
        place, still = guide.printed("upload").splitlines()[-2:]
        assert re.fullmatch(r"team-store/\.lamindb/\w{20}\.csv", place)
        assert still == "still on the drive: False"
        assert re.search(
            r"^team-store/\.lamindb/\w{20}\.bam True$", guide.printed("registered"), re.MULTILINE
        )
        assert re.fullmatch(r"PosixPath\('team-store/\.lamindb/\w{20}\.csv'\)", guide.shown("direct"))
        assert re.search(r"^True drive2/\.lamindb/\w{16}0001\.csv$", guide.printed("versions"), re.MULTILINE)
        removed = guide.printed("remove").splitlines()
        assert removed[0] == "Cannot delete storage with artifacts in current instance."
        assert removed[-1] == "True 2"


def test_the_guide_to_tracking_shows_what_it_says(tmp_path: Path) -> None:
    with running(GUIDES[0].with_name("track.ipynb"), tmp_path) as guide:
        assert guide.shown("params") == "{'cutoff': 2, 'service_token': '***REDACTED***'}"
        assert guide.printed("save").splitlines()[-2:] == [
            "inputs: ['raw/plate.csv']",
            "outputs: ['wells/kept.csv']",
        ]
        assert guide.printed("features").splitlines()[-2:] == ["{'temperature': 36.6}", "['wells/kept.csv']"]
        assert guide.printed("script").splitlines()[-1] == "scaled 2 wells"
        assert guide.printed("script-run").splitlines() == [
            "completed 10",
            "scaled 2 wells",
            "requirements.txt",
            "['import sys', 'import holotype as ln']",
        ]
        assert guide.printed("version").splitlines()[-2:] == [
            "0000 made by scale.py 0000",
            "0001 made by scale.py 0001",
        ]
        assert guide.shown("step") == "31.0"
        assert guide.printed("step-run").splitlines() == [
            "{'key': 'wells/scaled.csv', 'digits': 1}",
            "part of this notebook: True",
        ]
        assert guide.printed("command-run").splitlines() == [
            "sort -r scaled.csv -o sorted.csv",
            "['wells/scaled.csv']",
            "True",
        ]
        upstream, downstream = guide.printed("lineage").splitlines()
        assert upstream == "['raw/plate.csv', 'wells/kept.csv', 'wells/scaled.csv']"
        assert downstream == (
            "['means/scaled.txt', 'sorted.csv', 'wells/kept.csv', 'wells/scaled.csv', 'wells/scaled.csv']"
        )
        assert "<svg" in guide.shown("view", "text/html")
