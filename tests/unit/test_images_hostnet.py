"""The host's network settings, as builds take them."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from kit.errors import InputError
from kit.host import network as hostnet
from kit.host.network import CA_VARIABLES, HostNetwork, read_network
from kit.images.build.recipe import Context

MIRROR = "https://mirror.example/simple"


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``pip config list`` prints on this host."""
    lines: list[str] = []
    monkeypatch.setattr(hostnet, "_pip_config_list", lambda: "\n".join(lines))
    return lines


@pytest.fixture
def home(tmp_path: Path, pip: list[str]) -> dict[str, str]:
    """The environment of a host with nothing set."""
    return {"HOME": str(tmp_path)}


def conf(net: HostNetwork) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(net.pip_conf)
    return dict(parser["global"])


def test_nothing_set_is_nothing_given(home: dict[str, str]) -> None:
    net = read_network(home)
    assert net.proxy_args == {} and net.ca_bundle == b"" and net.npmrc == ""
    assert conf(net) == {}


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY"])
def test_a_proxy_is_given_in_both_cases(home: dict[str, str], name: str) -> None:
    net = read_network({**home, name: "http://p.example:1"})
    assert net.proxy_args == {
        "https_proxy": "http://p.example:1",
        "HTTPS_PROXY": "http://p.example:1",
    }


def test_the_lower_case_wins_and_empty_is_unset(home: dict[str, str]) -> None:
    both = read_network(
        {**home, "http_proxy": "a", "HTTP_PROXY": "b", "NO_PROXY": "", "no_proxy": "c"}
    )
    assert both.proxy_args["HTTP_PROXY"] == "a" and both.proxy_args["NO_PROXY"] == "c"
    assert read_network({**home, "http_proxy": ""}).proxy_args == {}


@pytest.mark.parametrize("name", CA_VARIABLES)
def test_every_ca_variable_counts(home: dict[str, str], tmp_path: Path, name: str) -> None:
    (tmp_path / "ca.pem").write_bytes(b"-----BEGIN")
    assert read_network({**home, name: str(tmp_path / "ca.pem")}).ca_bundle == b"-----BEGIN"


@pytest.mark.parametrize("name", CA_VARIABLES)
def test_a_ca_variable_that_names_no_file(home: dict[str, str], tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        read_network({**home, name: str(tmp_path / "gone.pem")})
    assert name in caught.value.problem and "gone.pem" in caught.value.problem
    assert name in caught.value.remedy


def test_a_ca_variable_that_names_a_folder(home: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="PIP_CERT"):
        read_network({**home, "PIP_CERT": str(tmp_path)})


def test_pip_settings_are_taken_and_others_left(home: dict[str, str], pip: list[str]) -> None:
    pip += [
        f"global.index-url='{MIRROR}'",
        "global.trusted-host='mirror.example'",
        "install.timeout='60'",
        "global.cache-dir='/var/cache/pip'",
        "global.target='/opt'",
        "freeze.timeout='1'",
    ]
    assert conf(read_network(home)) == {
        "index-url": MIRROR,
        "trusted-host": "mirror.example",
        "timeout": "60",
    }


def test_the_environment_wins_over_pips_files(home: dict[str, str], pip: list[str]) -> None:
    pip.append("global.index-url='https://other.example/simple'")
    assert conf(read_network({**home, "PIP_INDEX_URL": MIRROR}))["index-url"] == MIRROR


def test_folders_of_the_host_are_no_index_inside_a_build(
    home: dict[str, str], pip: list[str]
) -> None:
    pip.append("global.index-url='file:///srv/wheels'")
    environ = {**home, "PIP_EXTRA_INDEX_URL": f"file:///srv/a {MIRROR} https://two.example/"}
    found = conf(read_network(environ))
    assert "index-url" not in found
    assert found["extra-index-url"].split() == [MIRROR, "https://two.example/"]


def test_several_lines_of_an_index_setting(home: dict[str, str], pip: list[str]) -> None:
    pip.append(rf"global.extra-index-url='\n{MIRROR}\nhttps://two.example/'")
    found = conf(read_network(home))
    assert found["extra-index-url"].split() == [MIRROR, "https://two.example/"]


def test_a_password_with_a_percent_sign_survives(home: dict[str, str]) -> None:
    url = "https://me:a%40b@mirror.example/simple"
    assert conf(read_network({**home, "PIP_INDEX_URL": url}))["index-url"] == url


@pytest.mark.parametrize("name", ["npm_config_registry", "NPM_CONFIG_REGISTRY"])
def test_the_npm_registry_of_the_environment(home: dict[str, str], name: str) -> None:
    assert (
        read_network({**home, name: "https://npm.example/"}).npmrc
        == "registry=https://npm.example/\n"
    )


def test_the_npm_registry_of_the_users_file_and_nothing_else(
    home: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".npmrc").write_text(
        "//npm.example/:_authToken=secret\nregistry = https://npm.example/\ncache=/x\n",
        encoding="utf-8",
    )
    assert read_network(home).npmrc == "registry = https://npm.example/\n"
    environ = {**home, "npm_config_registry": "https://first.example/"}
    assert read_network(environ).npmrc == "registry=https://first.example/\n"


def test_the_files_stand_under_host() -> None:
    context = Context()
    HostNetwork({"http_proxy": "p"}, b"CA", "[global]\n", "registry=r\n").add_to(context)
    assert context.digest((), ("host/",)) == Context().digest((), ())
    with context.tar() as stream:
        text = stream.read()
    assert all(f"host/{name}".encode() in text for name in ("ca.crt", "pip.conf", "npmrc"))


@pytest.mark.slow
def test_the_drivers_own_pip_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {MIRROR}\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    pytest.importorskip("pip")
    assert conf(read_network({"HOME": str(tmp_path)}))["index-url"] == MIRROR


def test_a_driver_without_pip_has_no_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hostnet.sys, "executable", str(tmp_path / "no-python"))
    assert conf(read_network({"HOME": str(tmp_path)})) == {}
