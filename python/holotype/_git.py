"""Code in git repositories: which commit is meant, and what a transform keeps of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from holotype import _native, _voice
from holotype.errors import BlobHashNotFound

__all__ = ["address", "pipeline"]

# Where a mirror has its branches.
_MIRRORED = "refs/heads"


def pipeline(
    url: str, path: str, version: str | None, entrypoint: str | None, branch: str | None
) -> tuple[str, str]:
    """Returns the key of a pipeline, and the lines that stand for its code.

    Raises:
        ValueError: If the repository lacks the version, the branch or the path.
        RuntimeError: If the repository can't be read, or git is not installed.
    """
    url, path = url.rstrip("/").removesuffix(".git"), path.strip("/")
    folder = _mirror(url)
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


def address(path: Path, url: str) -> str:
    """Returns the address of a file in the commit of a repository that holds it as it is.

    Args:
        path: The file.
        url: Address of the repository.

    Raises:
        BlobHashNotFound: If there is none.
        RuntimeError: If the repository can't be read, or git is not installed.
    """
    content = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    url = url.rstrip("/").removesuffix(".git")
    if _is_in_clone(path, url):
        folder, branches = str(path.parent), "refs/remotes/origin"
        place = _place(folder, branches, blob, path.name)
        if place is None:
            # What a colleague pushed, or oneself from elsewhere.
            _git("-C", folder, "fetch", "--quiet", "origin", f"+refs/heads/*:{branches}/*", check=False)
            place = _place(folder, branches, blob, path.name)
    else:
        place = _place(_mirror(url), _MIRRORED, blob, path.name)
    if place is None:
        raise BlobHashNotFound(
            f"❌ Did not find blob hash {blob} in git repo: {_public(url)}\n"
            f"Did you commit & push the script to the remote repo? -> {path}"
        )
    commit, found = place
    return f"{_public(url)}/blob/{commit}/{found}"


def _place(folder: str, branches: str, blob: str, name: str) -> tuple[str, str] | None:
    """Returns the newest commit that brought a file, the default branch before others, and its path there."""
    # In a working clone `HEAD` is what somebody works on.
    head = "HEAD" if branches == _MIRRORED else f"{branches}/HEAD"
    default = _git("-C", folder, "symbolic-ref", "--quiet", head, check=False)
    known = (f"{branches}/main", f"{branches}/master")
    default = default or next((name for name in known if _resolve(folder, name)), "")
    for scope in (default, f"--glob={branches}") if default else (f"--glob={branches}",):
        log = ("log", "-m", f"--find-object={blob}", "--format=%H", scope, "--")
        for commit in dict.fromkeys(_git("-C", folder, *log, check=False).splitlines()):
            # Commits that took the file away are listed, too.
            tree = _git("-C", folder, "ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
            paths = [
                path for kind, _, path in (line.partition("\t") for line in tree) if blob in kind.split()
            ]
            if not paths:
                continue
            if scope != default:
                form = f"--format=%(refname:lstrip={branches.count('/') + 1})"
                held = _git("-C", folder, "for-each-ref", form, f"--contains={commit}", branches).split()
                where = ", ".join(branch for branch in held if branch != "HEAD")
                _voice.warning(f"code blob hash {blob} was found in non-default branch(es): {where}")
            # Of copies, the one that is called the same.
            return commit, min(paths, key=lambda path: path.rpartition("/")[2] != name)
    return None


def _is_in_clone(path: Path, url: str) -> bool:
    """Returns true for a file that lies in a clone of a repository."""
    remote = _git("-C", str(path.parent), "config", "--get", "remote.origin.url", check=False)
    return _public(remote.rstrip("/").removesuffix(".git")) == _public(url)


def _public(url: str) -> str:
    """Returns an address without a login."""
    scheme, sign, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{sign}{host.rpartition('@')[2]}{slash}{path}" if sign else url


def _mirror(url: str) -> str:
    """Returns a copy of the history of a repository, in the cache and up to date; files are not in it."""
    name = hashlib.sha256(url.encode()).hexdigest()[:20]
    folder = _native.cache_dir() / "repositories" / f"{name}.git"
    if folder.is_dir():
        _git("-C", str(folder), "fetch", "--quiet", "--prune", "origin", "+refs/*:refs/*")
        return str(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    passing = tempfile.mkdtemp(dir=folder.parent)
    try:
        _git("clone", "--quiet", "--mirror", "--filter=blob:none", "--", url, passing)
        # Another process may have been faster.
        if not folder.is_dir():
            os.rename(passing, folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(passing, ignore_errors=True)
    return str(folder)


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
        # Nobody is there to type a password.
        env = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, env=env)
    except FileNotFoundError:
        raise RuntimeError("git is not installed: install it, or use Transform.from_path") from None
    if check and done.returncode:
        raise RuntimeError(done.stderr.strip() or f"git {arguments[0]} failed")
    return done.stdout.strip() if done.returncode == 0 else ""
