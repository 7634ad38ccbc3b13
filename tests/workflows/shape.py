"""The shape of a workflow: the commands it gives to the engine, method by method, as its source says them.

A replay goes through the same commands in the same order, or the life it belongs to stands still for ever. So the shape
is kept in `fingerprints.json`, and an edit that changes it is noticed before a recorded history happens to meet it.
"""

import ast
import inspect
import json
import pkgutil
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import workflows

FILE: Final = Path(__file__).with_name("fingerprints.json")
COMMANDS: Final = ("execute_", "start_", "signal_", "cancel_", "wait_condition", "sleep", "upsert_", "continue_as_new")
MARKS: Final = ("patched", "deprecate_patch", "uuid4", "random", "memo")


def classes() -> list[type]:
    """Every workflow there is."""
    found: list[type] = []
    for module in pkgutil.iter_modules(workflows.__path__, "workflows."):
        for _, each in inspect.getmembers(import_module(module.name), inspect.isclass):
            if "__temporal_workflow_definition" in vars(each) and each.__module__ == module.name:
                found.append(each)
    return found


def shape(workflow: type) -> dict[str, list[str]]:
    """Method -> its commands in the order of the source, with those it has in common with others."""
    line = [each for each in reversed(workflow.__mro__) if each.__module__.startswith("workflows.")]
    return {name: commands for each in line for name, commands in shape_of(inspect.getsource(each)).items()}


def shape_of(source: str) -> dict[str, list[str]]:
    """The same, of the text of a class."""
    tree = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(tree, ast.ClassDef)
    methods = [each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = {_name(method): list(_commands(method)) for method in methods}
    settings = [each for each in tree.body if isinstance(each, ast.Assign)]  # which paper, which kind of errand
    found |= {ast.unparse(each.targets[0]): [ast.unparse(each.value)] for each in settings}
    return {name: commands for name, commands in found.items() if commands}


def _name(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The method, and what the engine knows it as."""
    doors = [ast.unparse(each) for each in method.decorator_list]
    return " ".join([*(f"@{door}" for door in doors), method.name])


def _commands(method: ast.AST) -> Iterator[str]:
    calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        spoken = ast.unparse(call.func)
        verb = spoken.removeprefix("workflow.")
        if spoken.startswith("workflow.") and (verb.startswith(COMMANDS) or verb in MARKS):
            yield f"{verb}({', '.join(_arguments(call, verb))})"
        elif spoken.startswith("self."):
            yield spoken + "()"


def _arguments(call: ast.Call, verb: str) -> Iterator[str]:
    if verb == "wait_condition":  # what is waited for may be said otherwise; whether a timer is set may not
        timed = any(each.arg == "timeout" for each in call.keywords)
        yield "with a timer" if timed else "without a timer"
        return
    if call.args and not verb.startswith("upsert_"):
        yield ast.unparse(call.args[0])
    yield from (f"{each.arg}={ast.unparse(each.value)}" for each in call.keywords if each.arg in ("id", "task_queue"))


def shapes() -> dict[str, Any]:
    """All workflows by name."""
    return {each.__name__: shape(each) for each in classes()}


def kept() -> dict[str, Any]:
    """The shapes as they were last agreed to."""
    found: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def keep() -> None:
    """Agree to the present shapes."""
    FILE.write_text(json.dumps(shapes(), indent=1, sort_keys=True) + "\n")
