"""The command that adds a missing package, for each way to install Inkstream."""

from __future__ import annotations

import json
import pickle
import shlex
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from inkstream.ocr_core import installation
from inkstream.ocr_core.installation import (
    MODULES,
    MissingPackageError,
    find_clone,
    install_command,
    missing_modules,
    package_command,
    python_command,
    require_extra,
    system_command,
    upgrade_command,
)
from tests.places import ROOT


class Wheel:
    """A fixture that makes this process look as if Inkstream were installed from a wheel."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site = folder / "site"
        self.prefix = folder / "inkstream-env"
        self.prefix.mkdir()
        self.info = self.site / "inkstream-1.0.dist-info"
        self.info.mkdir(parents=True)
        self.requires("Requires-Dist: prefect>=3 ; extra == 'prefect'")
        monkeypatch.setattr(installation, "find_clone", lambda: None)
        monkeypatch.setattr(sys, "prefix", str(self.prefix))
        monkeypatch.setattr(metadata, "distribution", lambda _: metadata.PathDistribution(self.info))
        monkeypatch.setattr(metadata, "requires", lambda _: metadata.PathDistribution(self.info).requires)

    def requires(self, *lines: str) -> None:
        head = ("Metadata-Version: 2.4", "Name: inkstream", "Version: 1.0")
        (self.info / "METADATA").write_text("\n".join((*head, *lines)) + "\n")

    def came_from(self, url: str, **how: object) -> None:
        (self.info / "direct_url.json").write_text(json.dumps({"url": url, **how}))


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    return Wheel(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def active(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put this process's environment first on the path, as if it were active."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")


def test_a_clone_is_reinstalled_from_its_folder() -> None:
    assert find_clone() == ROOT
    assert shlex.split(install_command("prefect")) == ["python", "-m", "pip", "install", "-e", f"{ROOT}[prefect]"]
    assert upgrade_command() == f"git -C {ROOT} pull && python -m pip install -e {ROOT}"


def test_a_wheel_from_an_index_is_installed_by_name(wheel: Wheel) -> None:
    assert install_command("trocr") == "python -m pip install 'inkstream[trocr]'"
    assert upgrade_command() == "python -m pip install --upgrade inkstream"


def test_a_wheel_from_a_file_is_installed_from_that_file(wheel: Wheel, tmp_path: Path) -> None:
    file = tmp_path / "my wheels" / "inkstream-1.0-py3-none-any.whl"
    file.parent.mkdir()
    file.touch()
    wheel.came_from(file.as_uri(), archive_info={})
    assert install_command("prefect") == f"python -m pip install 'inkstream[prefect] @ {file.as_uri()}'"
    assert upgrade_command() == f"install a newer version of Inkstream in place of the one from {file.as_uri()}"


def test_packages_are_named_if_the_wheel_file_is_gone(wheel: Wheel) -> None:
    wheel.came_from("file:///gone/inkstream-1.0-py3-none-any.whl", archive_info={})
    wheel.requires(
        "Requires-Dist: numpy>=2",
        "Requires-Dist: deltalake<1.7,>=1.6 ; extra == 'streaming'",
        "Requires-Dist: inkstream[streaming] ; extra == 'prefect'",
        "Requires-Dist: prefect>=3 ; extra == 'prefect'",
        "Requires-Dist: torch ; extra == 'trocr'",
    )
    assert install_command("prefect") == "python -m pip install 'deltalake<1.7,>=1.6' 'prefect>=3'"


def test_a_wheel_from_a_repository_is_installed_at_its_revision(wheel: Wheel) -> None:
    wheel.came_from("https://example.org/inkstream.git", vcs_info={"vcs": "git", "commit_id": "abc"})
    assert install_command("ppocr").endswith("'inkstream[ppocr] @ git+https://example.org/inkstream.git@abc'")


def test_a_copy_without_metadata_is_installed_by_name(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", unknown)
    assert install_command("prefect") == "python -m pip install 'inkstream[prefect]'"


def test_packages_are_added_to_a_pipx_environment_with_pipx(wheel: Wheel) -> None:
    (wheel.prefix / "pipx_metadata.json").write_text("{}")
    assert install_command("prefect") == "pipx runpip inkstream-env install 'inkstream[prefect]'"


def test_an_environment_without_pip_is_added_to_with_uv(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    (wheel.prefix / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9\n")
    assert package_command("gcsfs") == "python -m pip install gcsfs"
    monkeypatch.setattr(installation, "find_spec", lambda _: None)
    assert package_command("gcsfs") == f"uv pip install --python {sys.executable} gcsfs"


def test_a_uv_tool_keeps_its_extras(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    (wheel.prefix / "uv-receipt.toml").touch()
    monkeypatch.setattr(installation, "missing_modules", lambda extra: () if extra == "ppocr" else ("absent",))
    assert install_command("prefect") == "uv tool install 'inkstream[ppocr,prefect]'"
    assert upgrade_command() == "uv tool upgrade inkstream"


def test_an_inactive_environment_is_named_by_its_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert python_command() == sys.executable


@pytest.mark.parametrize(
    ("programs", "user", "command"),
    [
        (["apt-get"], 0, "apt install tesseract-ocr"),
        (["apt-get"], 1000, "sudo apt install tesseract-ocr"),
        ([], 1000, "install tesseract-ocr (Debian's names) with the package manager of this system"),
    ],
)
def test_system_command_uses_apt_and_sudo_where_they_apply(
    programs: list[str], user: int, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program in programs:
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert system_command("tesseract-ocr") == command


def test_a_missing_extra_is_an_import_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "polars", ("json", "no_such_module"))
    assert missing_modules("polars") == ("no_such_module",)
    with pytest.raises(ImportError, match="the demo needs Python packages that are not installed: no_such_module") as e:
        require_extra("polars", "the demo")
    assert isinstance(e.value, MissingPackageError)
    assert pickle.loads(pickle.dumps(e.value)).remedy == install_command("polars")


def test_modules_match_the_extras_in_pyproject() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    distributions = {
        name: set(map(canonicalize_name, names)) for name, names in metadata.packages_distributions().items()
    }
    for extra, modules in MODULES.items():
        wanted = {Requirement(line).name for line in extras[extra]} - {"inkstream"}
        for module in modules:
            packages = distributions.get(module, {module})  # a module that is not installed names itself
            assert packages & wanted, f"{module} of {packages} is not in the extra {extra}"
        installed = {name for names in distributions.values() for name in names}
        named = {name for module in modules for name in distributions.get(module, {module})}
        assert (wanted & installed) <= named, f"a package of the extra {extra} has no module in MODULES"
