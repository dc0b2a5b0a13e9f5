"""Pipelines in git repositories: which commit is meant, and what a transform keeps of it."""

from __future__ import annotations

import subprocess
import tempfile


def pipeline(
    url: str, path: str, version: str | None, entrypoint: str | None, branch: str | None
) -> tuple[str, str]:
    """Returns the key of a pipeline, and the lines that stand for its code.

    Raises:
        ValueError: If the repository lacks the version, the branch or the path.
        RuntimeError: If the repository can't be read, or git is not installed.
    """
    url, path = url.rstrip("/").removesuffix(".git"), path.strip("/")
    with tempfile.TemporaryDirectory() as folder:
        # The history alone: content is fetched where it is asked for.
        _git("clone", "--quiet", "--bare", "--filter=blob:none", "--", url, folder)
        commit = _commit(folder, url, version, branch)
        known = _git("-C", folder, "cat-file", "-t", f"{commit}:{path}", check=False)
    if known not in ("blob", "tree"):
        raise ValueError(f"'{path}' is not in {url} at {version or branch or commit}: check path and version")
    lines = [f"repo: {url}", f"path: {path}"]
    if entrypoint is not None:
        lines.append(f"entrypoint: {entrypoint}")
    sliding = branch is not None and branch == version
    lines.append(f"branch: {branch}" if sliding else f"commit: {commit}")
    owner_and_name = "/".join(url.replace(":", "/").split("/")[-2:])
    return f"{owner_and_name}/{path}", "\n".join(lines)


def _commit(folder: str, url: str, version: str | None, branch: str | None) -> str:
    """Returns the commit of a tag, a commit or a branch, else the newest one."""
    if branch is not None:
        of_branch = _resolve(folder, f"refs/heads/{branch}")
        if not of_branch:
            raise ValueError(f"{url} has no branch '{branch}'")
        if version in (None, branch):
            return of_branch
    wanted = "HEAD" if version is None else version
    commit = _resolve(folder, wanted)
    if not commit:
        raise ValueError(f"{url} has no tag, branch or commit '{wanted}'")
    return commit


def _resolve(folder: str, name: str) -> str:
    """Returns the commit that a name stands for, nothing if it stands for none."""
    # What starts with a dash would be an option.
    options = ("--verify", "--quiet", "--end-of-options")
    return _git("-C", folder, "rev-parse", *options, f"{name}^0", check=False)


def _git(*arguments: str, check: bool = True) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise RuntimeError("git is not installed: install it, or use Transform.from_path") from None
    if check and done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip() if done.returncode == 0 else ""
