"""The reference of exit codes and errors, generated from the code that raises them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kit import errors as kit_errors
from kit.errors import ERRORS, EXIT_INTERRUPTED, EXIT_OK, KitError

KIT = Path(kit_errors.__file__).parent
HEAD = """\
# Exit codes and errors

Made by `python -m tests.lint.reference` from the code. Every error has one line for the problem and
one for the remedy, both on standard error. [Messages, and what to do](faq.md) explains the most
frequent ones at length."""
MESSAGES = """\
## Messages and remedies

By exit code, in alphabetical order. `…` stands for a name, a number or a reason."""


def errors() -> str:
    """Return the exit codes, the classes of errors and their messages as markdown."""
    parts = [HEAD, "## Exit codes", _codes(), "## Classes", _classes(), MESSAGES]
    found = sorted(set(_messages()), key=lambda message: (message.problem.lower(), message.remedy))
    for code in sorted({message.exit_code for message in found}):
        rows = [
            f"| {message.problem} | {message.remedy} |"
            for message in found
            if message.exit_code == code
        ]
        head = ["| problem | remedy |", "|---|---|"]
        parts += [f"### Exit code {code}", "\n".join([*head, *rows])]
    return "\n\n".join(parts) + "\n"


def _codes() -> str:
    meanings = {
        EXIT_OK: "the command did what it was asked",
        **{error.exit_code: error.meaning for error in ERRORS},
        EXIT_INTERRUPTED: "interrupted (Ctrl-C, SIGTERM); nothing measured is lost",
    }
    rows = [f"| {code} | {_cell(meaning)} |" for code, meaning in sorted(meanings.items())]
    return "\n".join(["| exit code | meaning |", "|---|---|", *rows])


def _classes() -> str:
    rows = [
        f"| `{name}` | {error.exit_code} | {_cell(_first_line(error))} |"
        for name, error in vars(kit_errors).items()
        if isinstance(error, type) and issubclass(error, KitError) and error is not KitError
    ]
    head = [
        "All are in `kit.errors`, below `KitError`, with the attributes `problem`, `remedy` and",
        "`exit_code`.",
        "",
        "| class | exit code | for |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows])


def _first_line(error: type[KitError]) -> str:
    line = (inspect.getdoc(error) or "").splitlines()[0]
    line = re.sub(r"^An error(, after the report is written,)? for ", r"", line)
    return line.replace("``", "`").rstrip(".")


@dataclass(frozen=True)
class _Message:
    exit_code: int
    problem: str
    remedy: str


def _messages() -> Iterator[_Message]:
    """Yield every problem with its remedy where the code holds both as text."""
    classes = {
        name: error
        for name, error in vars(kit_errors).items()
        if isinstance(error, type) and issubclass(error, KitError)
    }
    for path in sorted(KIT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            error = classes.get(node.func.id)
            # The path of a FileError comes first.
            texts = [_text(argument) for argument in node.args][-2:]
            if error is None or len(texts) < 2 or None in texts:
                continue
            problem, remedy = map(str, texts)
            if error is kit_errors.FileError:
                problem = f"…: {problem}"
            yield _Message(error.exit_code, _cell(problem), _cell(remedy))


def _text(node: ast.expr) -> str | None:
    """Return a literal text, with … for what is filled in; None if it is made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        text = re.sub("…+", "…", "".join(map(str, parts)))
        return text if len(text.replace("…", "").split()) > 1 else None
    return None


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
