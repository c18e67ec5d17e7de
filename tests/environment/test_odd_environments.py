"""Nobody's environment decides: every variable at once, set to nothing, to 0 and to nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest
from environment.variables import COMMANDS, KINDS, NAMES, ends
from golden.archive import GOLDEN, opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(GOLDEN, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def unset(folder: Path) -> dict[str, str]:
    codes, sums, said = ends(folder, {})
    assert codes == dict.fromkeys(COMMANDS, 0), said
    return sums


@pytest.mark.xdist_group("environment")
@pytest.mark.parametrize("kind", KINDS)
def test_commands_end_and_write_as_without_any(
    kind: str, folder: Path, unset: dict[str, str]
) -> None:
    codes, sums, said = ends(folder, dict.fromkeys(NAMES, KINDS[kind]))
    assert codes == dict.fromkeys(COMMANDS, 0), said
    # Only what a workflow's step is told goes elsewhere, to the file that the variable names.
    elsewhere = {name for name in sums if "/" not in name}
    assert {name: sums[name] for name in sums.keys() - elsewhere} == unset
    assert elsewhere <= {KINDS[kind]}


def test_the_variables_are_at_least_forty() -> None:
    assert len(NAMES) >= 40
