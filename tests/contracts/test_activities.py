"""Every promise of a contract is kept by a service, and that service's worker says so to the engine."""

import ast
import asyncio
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity

import services
import shared.contracts
import workflows
from shared.kit.temporal import activities_of

CONTRACTS = Path(next(iter(shared.contracts.__path__)))
SERVICES = Path(next(iter(services.__path__)))
PROCESSES = Path(next(iter(workflows.__path__)))


def promises() -> list[Any]:
    """Service and abstract activities, for every contract."""
    return [
        pytest.param(file.stem, value, id=value.__name__)
        for file in sorted(CONTRACTS.glob("[a-z]*.py"))
        for value in vars(import_module(f"shared.contracts.{file.stem}")).values()
        if inspect.isabstract(value) and value.__module__ == f"shared.contracts.{file.stem}"
    ]


EACH = pytest.mark.parametrize(("service", "contract"), promises())


def stubs(contract: type) -> dict[str, Any]:
    """The abstract activities of a contract, by method."""
    return {name: stub for name, stub in vars(contract).items() if hasattr(stub, "__temporal_activity_definition")}


def keeper(service: str, contract: type) -> type:
    """The class of the service that keeps the promise."""
    (kept,) = {
        value
        for file in (SERVICES / service).glob("*activities.py")
        for value in vars(import_module(f"services.{service}.{file.stem}")).values()
        if inspect.isclass(value) and issubclass(value, contract) and value is not contract
    }
    return kept


def test_there_are_promises() -> None:
    assert {"certificates", "notifications"} <= {each.values[0] for each in promises()}


@EACH
def test_every_abstract_method_is_an_activity_named_after_its_service(service: str, contract: type) -> None:
    abstract = contract.__abstractmethods__  # type: ignore[attr-defined]
    assert set(stubs(contract)) == abstract
    for stub in stubs(contract).values():
        definition = activity._Definition.must_from_callable(stub)
        assert re.fullmatch(rf"{service}\.[a-z_]+", str(definition.name))
        assert len(inspect.signature(stub).parameters) == 2, f"{definition.name} takes one message"
        assert stub.__doc__


def test_no_two_activities_have_one_name() -> None:
    names = [
        activity._Definition.must_from_callable(stub).name
        for each in promises()
        for stub in stubs(each.values[1]).values()
    ]
    assert len(set(names)) == len(names)


@EACH
def test_every_promise_is_kept_by_its_service(service: str, contract: type) -> None:
    kept: Any = keeper(service, contract)
    assert not inspect.isabstract(kept)
    doors = [activity._Definition.must_from_callable(door) for door in activities_of(kept.__new__(kept))]
    promised = [activity._Definition.must_from_callable(stub) for stub in stubs(contract).values()]
    assert {each.name: each.ret_type for each in doors} == {each.name: each.ret_type for each in promised}
    for each in doors:
        assert each.arg_types
        assert None not in each.arg_types
        assert asyncio.iscoroutinefunction(each.fn)


def worker_of(service: str) -> ast.Module:
    """The source of the service's worker."""
    return ast.parse((SERVICES / service / "worker.py").read_text(encoding="utf-8"))


@EACH
def test_every_promise_is_registered_by_the_services_worker(service: str, contract: type) -> None:
    registered = {
        argument.func.id
        for node in ast.walk(worker_of(service))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "activities_of"
        for argument in node.args
        if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Name)
    }
    assert keeper(service, contract).__name__ in registered
    assert service == import_module(f"shared.contracts.{service}").QUEUE


def test_every_process_is_hosted_by_exactly_one_worker() -> None:
    processes = {
        value.__name__
        for file in PROCESSES.glob("[a-z]*.py")
        for value in vars(import_module(f"workflows.{file.stem}")).values()
        if inspect.isclass(value)
        and value.__module__ == f"workflows.{file.stem}"
        and hasattr(value, "__temporal_workflow_definition")
    }
    hosts: dict[str, list[str]] = {name: [] for name in processes}
    for folder in SERVICES.iterdir():
        if (folder / "worker.py").exists():
            imported = {
                name.name
                for node in ast.walk(worker_of(folder.name))
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("workflows.")
                for name in node.names
            }
            for name in imported & processes:
                hosts[name].append(folder.name)
    assert {name: len(where) for name, where in hosts.items()} == dict.fromkeys(processes, 1), hosts
