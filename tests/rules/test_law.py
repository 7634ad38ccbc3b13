"""What holds of the law as a whole: it is pure, it speaks in codes, and every code has a sentence."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.rules.refusals import REFUSALS
from shared.rules.roles import VALIDATED_BY, Request, RoleType, Territory, Validator, validators
from shared.rules.sentences import PROBLEMS, SENTENCES, msgids

ROOT = Path(__file__).parents[2]
LAW = sorted((ROOT / "shared" / "rules").glob("*.py"))
PURE = [*LAW, *sorted((ROOT / "shared" / "contracts").glob("*.py"))]
BANNED = {"now", "today", "utcnow", "uuid1", "uuid4", "random", "secrets", "os", "open", "time", "sleep", "environ"}
STANDARD = {
    "ast", "collections", "dataclasses", "datetime", "decimal", "enum", "re", "shared", "string", "typing",
}  # fmt: skip


def names(tree: ast.AST) -> Iterator[str]:
    """Every name that is called, imported or reached for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.name for alias in node.names)
            yield getattr(node, "module", None) or ""


@pytest.mark.parametrize("file", PURE, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_law_and_contracts_reach_for_no_clock_no_chance_and_no_world(file: Path) -> None:
    owned = {"facts", "self", "standing", "life", "order"}  # facts.now is an argument, like any other
    for name in names(ast.parse(file.read_text())):
        root, _, last = name.partition(".")
        assert root not in BANNED, f"{file.name}: {name}"
        assert last not in BANNED or root in owned, f"{file.name}: {name}"


@pytest.mark.parametrize("file", LAW, ids=lambda file: file.name)
def test_the_law_imports_the_standard_library_and_itself(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for module in modules:
            assert module.split(".")[0] in STANDARD, f"{file.name}: {module}"
            assert not module.startswith("shared.") or module.startswith("shared.rules"), f"{file.name}: {module}"


@pytest.mark.parametrize("file", LAW, ids=lambda file: file.name)
def test_every_module_class_and_public_function_of_the_law_says_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree)
    finders = file.name == "findings.py"  # there a function is a cell of CHECKS, and its sentence is its code's
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) and (finders or not isinstance(node, ast.FunctionDef)):
            continue
        if not node.name.startswith("_") and node.name != "check":
            assert ast.get_docstring(node), f"{file.name}: {node.name}"


def test_every_code_has_its_own_sentence() -> None:
    assert not {row.code for row in REFUSALS} & set(PROBLEMS)
    assert set(SENTENCES) == {row.code for row in REFUSALS} | set(PROBLEMS)


@pytest.mark.parametrize(("code", "sentence"), SENTENCES.items(), ids=list(SENTENCES))
def test_every_sentence_is_whole_says_what_to_do_and_names_only_plain_parameters(code: str, sentence: str) -> None:
    assert sentence.endswith(".")
    assert sentence[0].isupper() or sentence[0] == "{"
    assert "lease" in sentence or code in ("internal", "remarks_needed", "consignee_not_valid")
    assert all(field.isidentifier() for _, field, _, _ in string.Formatter().parse(sentence) if field)


def test_all_that_has_to_be_translated_is_listed_once() -> None:
    assert len(set(msgids())) == len(msgids())
    assert set(SENTENCES.values()) <= set(msgids())


@pytest.mark.parametrize("file", LAW, ids=lambda file: file.name)
def test_every_code_the_law_gives_has_a_sentence(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = {"problem": 1, "Check": 0, "Refused": 0}.get(node.func.id)
            code = node.args[place] if place is not None and len(node.args) > place else None
            if isinstance(code, ast.Constant):
                assert code.value in SENTENCES, f"{file.name}: {code.value!r}"
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and file.name == "shape.py":
            code = node.value.elts[1]
            if isinstance(code, ast.Constant):
                assert code.value in SENTENCES, f"{file.name}: {code.value!r}"


# ---- who validates whom


def test_the_platform_validates_nobody() -> None:
    assert RoleType.SYS_ADMIN not in Validator.__members__
    assert all(row.by for row in VALIDATED_BY)


@pytest.mark.parametrize(("request_", "territory", "first"), [
    (Request.OPERATOR, Territory.EU_BY_AUTHORITY, Validator.NATIONAL_AUTHORITY),
    (Request.OPERATOR, Territory.THIRD_COUNTRY, Validator.CONTROL_BODY),
    (Request.COLLEAGUE, Territory.THIRD_COUNTRY, Validator.OWN_ADMINISTRATOR),
    (Request.AUTHORITY_USER, Territory.EU_BY_AUTHORITY, Validator.OWN_ADMINISTRATOR),
    (Request.CLASSIC_ACCOUNT, Territory.EU_BY_AUTHORITY, Validator.DEPARTMENT),
])  # fmt: skip
def test_the_first_to_be_asked_is_who_the_guides_name(
    request_: Request, territory: Territory, first: Validator
) -> None:
    assert validators(request_, territory)[0] is first


def test_every_request_has_a_validator_in_every_territory() -> None:
    for request in Request:
        for territory in (Territory.EU_BY_AUTHORITY, Territory.EU_BY_CONTROL_BODY, Territory.THIRD_COUNTRY):
            assert validators(request, territory)
