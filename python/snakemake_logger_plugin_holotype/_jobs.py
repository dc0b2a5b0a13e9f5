"""What Snakemake knows of a job, as `holotype record` reads it."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

__all__ = ["Jobs", "rule_text", "workflow"]

# How Snakemake itself runs shell commands.
SHELL = ["bash", "-euo", "pipefail", "-c"]


def workflow() -> Any:
    """Returns the workflow as Snakefiles see it under this name, or None."""
    return getattr(sys.modules.get("snakemake.workflow"), "workflow", None)


class Jobs:
    """The jobs of the workflow, as far as Snakemake can be asked for them."""

    def __init__(self) -> None:
        self._jobs: dict[int, Any] = {}
        self._codes: dict[str, str | None] = {}

    def describe(self, record: Any) -> dict[str, Any] | None:
        """Returns what is known of a job before it starts; None for one that does nothing, as `rule all`.

        The event tells most of it. Parameters and the rule itself come from the workflow.
        """
        job = self._job(record.jobid)
        if getattr(getattr(job, "rule", None), "norun", False):
            return None
        params: dict[str, Any] = {"threads": record.threads}
        if record.wildcards:
            params["wildcards"] = dict(record.wildcards)
        inputs, outputs = list(record.input), list(record.output)
        if job is not None:
            if len(job.params):
                params["params"] = dict(job.params.items()) or list(job.params)
            inputs, outputs = _files(job.input), _files(job.output)
            if record.rule_name not in self._codes:
                self._codes[record.rule_name] = _code(job.rule)
        return {
            "event": "job",
            "name": record.rule_name,
            "code": self._codes.get(record.rule_name),
            "words": [*SHELL, record.shellcmd] if record.shellcmd else [],
            "params": params,
            "inputs": inputs,
            "outputs": outputs,
            "logs": list(record.log),
            "started_at": record.created,
        }

    def _job(self, jobid: int) -> Any:
        around = workflow()
        if jobid not in self._jobs and around is not None:
            try:
                self._jobs = {around.dag.jobid(job): job for job in around.dag.jobs}
            except (AttributeError, KeyError, RuntimeError):
                # Another release of Snakemake, or its jobs are being planned anew at this very moment.
                return None
        return self._jobs.get(jobid)


def _files(files: Any) -> list[str]:
    """Returns the paths of what is a file: pipes and services pass nothing on that lasts."""
    passing = {"pipe", "service", "nodelocal"}
    return [str(file) for file in files if not passing & set(getattr(file, "flags", ()))]


def _code(rule: Any) -> str | None:
    """Returns the text of a rule, followed by that of the script which it calls."""
    path = str(rule.snakefile)
    text = _read(path)
    if text is None:
        return None
    code = rule_text(text, rule.name) or text
    script = getattr(rule, "script", None)
    if isinstance(script, str):
        called = _read(os.path.join(os.path.dirname(path), script))
        if called is not None:
            code += f"\n# {script}\n\n{called}"
    return code


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def rule_text(text: str, name: str) -> str | None:
    """Returns the lines of a rule in a Snakefile: from its name to the next line that is indented as little.

    Example:
        >>> rule_text("rule a:\\n    shell: 'ls'\\n\\nrule b:\\n    shell: 'id'\\n", "a")
        "rule a:\\n    shell: 'ls'\\n"
    """
    head = re.compile(rf"^([ \t]*)(?:rule|checkpoint)[ \t]+{re.escape(name)}[ \t]*:", re.MULTILINE)
    found = head.search(text)
    if found is None:
        return None
    lines = text[found.start() :].splitlines()
    indent, end, quote = len(found.group(1)), 0, ""
    for at, line in enumerate(lines):
        within = bool(quote)
        for mark in re.findall(r"'{3}|\"{3}", line):
            quote = mark if not quote else "" if mark == quote else quote
        if not within and at and line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        if within or line.strip():
            end = at + 1
    return "\n".join(lines[:end]) + "\n"
