"""The types of `holotype._native`, read from the Rust sources of the border.

The border is written uniformly enough for that: one `#[pyfunction]` or `#[pymethods]` item after another,
with types of a small vocabulary. A type that is not in the vocabulary stops the script.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_PLAIN = {
    "()": "None",
    "String": "str",
    "&str": "str",
    "&'static str": "str",
    "bool": "bool",
    "i64": "int",
    "usize": "int",
    "u8": "int",
    "u64": "int",
    "f64": "float",
    "char": "str",
    "OsString": "str",
    "PathBuf": "Path",
    "Self": "Self",
    "PyAny": "Any",
    "PyBytes": "bytes",
    "PyDict": "dict[str, Any]",
    "PyList": "list[Any]",
    "PyTuple": "tuple[Any, ...]",
    "PyCapsule": "object",
    "Annotation": "Any",
    "Annotations": "dict[str, Any]",
    "Cell": "Any",
    "Condition": "tuple[Any, ...]",
    "Document": "Any",
    "Given": "dict[str, Any]",
    "InRegistry": "str",
    "Run": "int | bool | None",
    "Seen": "Any",
}
_HEAD = r"(?:pub )?fn (\w+)(?:<'\w+>)?\((.*?)\)(?: -> (.*?))? \{\n"
_ARGUMENTS = re.compile(r"#\[pyo3\(signature = \((.*?)\)\)\]")


@dataclass
class Function:
    """A function or method of the module."""

    name: str
    doc: str
    parameters: list[tuple[str, str, str | None]]
    result: str
    decorator: str | None = None
    star: str | None = None


@dataclass
class Class:
    """A class of the module."""

    name: str
    doc: str
    methods: list[Function] = field(default_factory=list)


def _split(text: str) -> list[str]:
    """Returns the parts between the commas that are in no bracket."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        if char in "<([{":
            depth += 1
        elif char in ")]}" or (char == ">" and text[i - 1] != "-"):
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


class Reader:
    """Reads the sources of the border."""

    def __init__(self, folder: Path) -> None:
        self.sources = {path.stem: path.read_text() for path in sorted(folder.glob("*.rs"))}
        every = "\n".join(self.sources.values())
        self.classes = {name: Class(name, doc) for doc, name in self._structs(every)}
        pairs = re.findall(r"^type (\w+)(?:<'\w+>)? = (.*?);$", every, re.M | re.S)
        self.aliases = {name: " ".join(of.split()) for name, of in pairs}
        self.functions: list[Function] = []
        for source in self.sources.values():
            self._functions(source)
            self._methods(source)

    def _structs(self, source: str) -> list[tuple[str, str]]:
        found = re.findall(r"((?:^/// .*\n)+)#\[pyclass\([^)]*\)\]\npub struct (\w+)", source, re.M)
        return [(_doc(doc), name) for doc, name in found]

    def _functions(self, source: str) -> None:
        pattern = r"((?:^///[^\n]*\n)+)#\[pyfunction\]\n((?:^#\[[^\n]*\]\n)*)" + _HEAD
        for doc, attributes, name, parameters, result in re.findall(pattern, source, re.M | re.S):
            self.functions.append(self._function(doc, attributes, name, parameters, result, None))

    def _methods(self, source: str) -> None:
        for cls, body in re.findall(r"^#\[pymethods\]\nimpl (\w+) \{\n(.*?)^\}", source, re.M | re.S):
            pattern = r"((?:^    ///[^\n]*\n)*)((?:^    #\[[^\n]*\]\n)*)^    " + _HEAD
            for doc, attributes, name, parameters, result in re.findall(pattern, body, re.M | re.S):
                if name == "__reduce__":
                    continue
                made = self._function(doc, attributes, name, parameters, result, cls)
                made.result = made.result.replace("Self", cls)
                if "#[new]" in attributes:
                    made.name, made.result = "__init__", "None"
                elif "#[getter]" in attributes:
                    made.decorator = "property"
                elif "#[staticmethod]" in attributes:
                    made.decorator = "staticmethod"
                self.classes[cls].methods.append(made)

    def _function(
        self, doc: str, attributes: str, name: str, parameters: str, result: str, cls: str | None
    ) -> Function:
        typed, star = [], None
        signature = _ARGUMENTS.search(attributes)
        defaults = (
            dict(part.split(" = ") for part in _split(signature[1]) if " = " in part) if signature else {}
        )
        for part in _split(parameters):
            if part in ("&self", "&mut self"):
                continue
            parameter, kind = (text.strip() for text in part.split(":", 1))
            if kind.startswith("Python<") or parameter == "slf":
                continue
            if signature and f"**{parameter}" in signature[1]:
                star = "Any"
                continue
            default = defaults.get(parameter)
            typed.append((parameter, self.type(kind), "None" if default == "None" else default))
        return Function(name, _doc(doc), typed, self.type(result or "()"), star=star)

    def type(self, text: str) -> str:
        """Returns a type of Rust as a type of Python.

        Raises:
            ValueError: For a type that is not in the vocabulary.
        """
        text = " ".join(text.split()).rstrip(",")
        text = re.sub(r"^&(?:'\w+ )?(?!str)", "", text) if text not in _PLAIN else text
        text = text.removeprefix("mut ")
        if text in _PLAIN:
            return _PLAIN[text]
        if text.startswith("(") and text.endswith(")"):
            return f"tuple[{', '.join(self.type(part) for part in _split(text[1:-1]))}]"
        outer = re.fullmatch(r"([\w:]+)<(.*)>", text)
        name = (outer[1] if outer else text).rsplit("::", 1)[-1]
        if name in _PLAIN:
            return _PLAIN[name]
        if name in self.aliases:
            return self.type(self.aliases[name])
        if name in self.classes:
            return name
        inner = [part for part in _split(outer[2]) if not part.startswith("'")] if outer else []
        if name in ("PyResult", "Bound", "Py", "PyRef") and len(inner) == 1:
            return self.type(inner[0])
        if name == "Option" and len(inner) == 1:
            return f"{self.type(inner[0])} | None"
        if name == "Vec" and len(inner) == 1:
            return f"list[{self.type(inner[0])}]"
        if name == "BTreeMap" and len(inner) == 2:
            return f"dict[{self.type(inner[0])}, {self.type(inner[1])}]"
        raise ValueError(
            f"'{text}' is a type that the stub does not know: teach it to python/tools/native.py"
        )


def _doc(text: str) -> str:
    lines = [line.strip().removeprefix("///").strip() for line in text.strip().splitlines()]
    # The rest is for readers of the Rust sources.
    first = lines[: lines.index("")] if "" in lines else lines
    return " ".join(first)


def _write(function: Function, indent: str, inside: bool) -> list[str]:
    parameters = [
        f"{name}: {kind}" + ("" if default is None else f" = {default}")
        for name, kind, default in function.parameters
    ]
    if function.star:
        parameters.append(f"**arguments: {function.star}")
    if inside and function.decorator != "staticmethod":
        parameters.insert(0, "self")
    lines = [f"{indent}@{function.decorator}"] if function.decorator else []
    head = f"{indent}def {function.name}({', '.join(parameters)}) -> {function.result}:"
    if len(head) > 110:
        inner = f",\n{indent}    ".join(parameters)
        head = f"{indent}def {function.name}(\n{indent}    {inner},\n{indent}) -> {function.result}:"
    if not function.doc:
        return [*lines, f"{head} ..."]
    return [*lines, head, f'{indent}    """{function.doc}"""']


def stub(sources: Path) -> str:
    """Returns the text of `_native.pyi`.

    Args:
        sources: Folder of the Rust sources.
    """
    reader = Reader(sources)
    lines = [
        "# Generated by python/tools/stubs.py from python/src: do not edit.",
        "",
        "from pathlib import Path",
        "from typing import Any",
        "",
        "__version__: str",
        "",
    ]
    for cls in sorted(reader.classes.values(), key=lambda cls: cls.name):
        lines += [f"class {cls.name}:", f'    """{cls.doc}"""', ""]
        for method in cls.methods:
            lines += [*_write(method, "    ", True), ""]
    for function in sorted(reader.functions, key=lambda function: function.name):
        lines += [*_write(function, "", False), ""]
    return "\n".join(lines)
